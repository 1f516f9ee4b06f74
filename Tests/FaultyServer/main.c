// A server that the benchmark's tests put in the place of its own: it echoes, and has one fault.
//
// faulty-server FAULT AFTER ONLY, then the words that `socketkit bench` gives its servers. The fault shows from the
// AFTERth message on; ONLY is the transport over which it does, or "all".
#define _GNU_SOURCE
#include "baseline.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 1024

static const char *fault;
static long after, messages;
static struct bench_counters *counters;

struct last {
  char bytes[65536];
  ssize_t count;
};
// The last message of each descriptor, for the server that sends old replies.
static struct last *last[MAX_CONNECTIONS];

static int has(const char *name) { return strcmp(fault, name) == 0; }

static void ready(const char *address) {
  if (has("mute")) pause();
  printf("ready %s\n", address);
  fflush(stdout);
}

// One wait as the benchmark sees it.
static int wait_for(int epoll, struct epoll_event *event) {
  int count;
  // The first two do not show in the counters: only the kernel knows that this process does not sleep.
  int timeout = has("wakes") ? 5 : has("burns") ? 0 : has("dies-idle") && messages >= after ? 20 : -1;
  do {
    counters->waits++;
    count = epoll_wait(epoll, event, 1, timeout);
  } while (count == 0 && timeout != 20);
  if (count == 0) kill(getpid(), SIGKILL);
  counters->returns++;
  if (count > 0) counters->events++;
  return count;
}

// How often to send the reply that is in the buffer.
static int replies(int fd, char *buffer, ssize_t *count) {
  messages++;
  int number = 1;
  if (messages >= after) {
    if (has("dies")) kill(getpid(), SIGKILL);
    if (has("exits")) _exit(3);
    if (has("lies")) buffer[*count - 1] ^= 1;
    if (has("doubles")) number = 2;
    if (has("drops") && messages == after) number = 0;
    if (has("stalls")) pause();
  }
  if (has("stale")) {
    if (!last[fd]) last[fd] = calloc(1, sizeof **last);
    struct last now = {.count = *count};
    memcpy(now.bytes, buffer, (size_t)*count);
    if (messages >= after && last[fd]->count == *count) memcpy(buffer, last[fd]->bytes, (size_t)*count);
    *last[fd] = now;
  }
  return number;
}

static void serve_datagrams(int fd) {
  static char buffer[65536];
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  for (;;) {
    if (wait_for(epoll, &event) < 1) continue;
    struct sockaddr_in sender;
    socklen_t length = sizeof sender;
    counters->reads++;
    ssize_t count = recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&sender, &length);
    if (count < 0) continue;
    for (int left = replies(fd, buffer, &count); left > 0; left--) {
      if (!has("miscounts")) counters->writes++;
      sendto(fd, buffer, (size_t)count, 0, (struct sockaddr *)&sender, length);
    }
  }
}

static void serve_streams(int listener) {
  static char buffer[65536];
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    if (wait_for(epoll, &event) < 1) continue;
    int fd = event.data.fd;
    if (fd == listener) {
      counters->accepts++;
      counters->controls++;
      event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
      epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
      counters->open++;
      if (!has("peakless")) counters->peak = counters->open;
      continue;
    }
    counters->reads++;
    ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count > 0) {
      for (int left = replies(fd, buffer, &count); left > 0; left--) {
        if (!has("miscounts")) counters->writes++;
        send(fd, buffer, (size_t)count, MSG_NOSIGNAL);
      }
    } else if (count == 0 || errno != EAGAIN) {
      if (has("holds")) epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
      else close(fd);
      counters->open--;
    }
  }
}

int main(int count, char **words) {
  const char *transport = "", *datagrams = NULL;
  if (count < 4) return 2;
  for (int i = 4; i + 1 < count; i++) {
    if (strcmp(words[i], "--transport") == 0) transport = words[i + 1];
    if (strcmp(words[i], "--datagrams") == 0) datagrams = words[i + 1];
    if (strcmp(words[i], "--parent") == 0 && bench_die_with(atoi(words[i + 1])) < 0) return 1;
  }
  fault = strcmp(words[3], "all") == 0 || strcmp(words[3], transport) == 0 ? words[1] : "none";
  after = atol(words[2]);
  alarm(120);
  counters = bench_map(3, sizeof *counters);
  if (!counters) return 1;
  char address[128];
  uint16_t port = 0;
  if (strcmp(transport, "unix") == 0) {
    snprintf(address, sizeof address, "faulty-%d", (int)getpid());
    int listener = baseline_listen_unix(address);
    if (listener < 0) return 1;
    memmove(address + 1, address, strlen(address) + 1);
    address[0] = '@';
    ready(address);
    serve_streams(listener);
  }
  int fd = datagrams ? baseline_bind_udp(&port, 4 << 20) : baseline_listen_tcp(&port);
  if (fd < 0) return 1;
  snprintf(address, sizeof address, "127.0.0.1:%d", port);
  ready(address);
  if (datagrams) serve_datagrams(fd);
  serve_streams(fd);
}
