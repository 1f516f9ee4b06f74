#define _GNU_SOURCE
#include "baseline.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
  int fd;
  size_t unsent, offset;
  char *rest;  // bytes that the kernel has not accepted
};

struct server {
  int epoll, listener;
  char *buffer;
  size_t buffer_size;
  struct bench_counters *counters;
};

static int control(struct server *s, int command, struct connection *c, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  s->counters->controls++;
  return epoll_ctl(s->epoll, command, c ? c->fd : s->listener, &event) < 0 ? -errno : 0;
}

static int close_connection(struct server *s, struct connection *c) {
  int result = control(s, EPOLL_CTL_DEL, c, 0);
  close(c->fd);
  free(c->rest);
  free(c);
  s->counters->open--;
  return result;
}

static int accept_all(struct server *s) {
  for (;;) {
    s->counters->accepts++;
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN) return 0;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return -errno;
    }
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
      close(fd);
      return -ENOMEM;
    }
    c->fd = fd;
    int result = control(s, EPOLL_CTL_ADD, c, EPOLLIN);
    if (result < 0) return result;
    if (++s->counters->open > s->counters->peak) s->counters->peak = s->counters->open;
  }
}

static ssize_t send_some(struct server *s, int fd, const char *bytes, size_t count) {
  for (;;) {
    s->counters->writes++;
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent >= 0 || errno != EINTR) return sent;
  }
}

static int keep(struct server *s, struct connection *c, const char *bytes, size_t count) {
  c->rest = malloc(count);
  if (!c->rest) return -ENOMEM;
  memcpy(c->rest, bytes, count);
  c->offset = 0;
  c->unsent = count;
  // The server reads nothing from this peer until these bytes are sent, so that the memory does not grow and the peer
  // must wait.
  return control(s, EPOLL_CTL_MOD, c, EPOLLOUT);
}

static int send_rest(struct server *s, struct connection *c) {
  ssize_t sent = send_some(s, c->fd, c->rest + c->offset, c->unsent);
  if (sent < 0) return errno == EAGAIN ? 0 : close_connection(s, c);
  c->offset += (size_t)sent;
  c->unsent -= (size_t)sent;
  if (c->unsent > 0) return 0;
  free(c->rest);
  c->rest = NULL;
  return control(s, EPOLL_CTL_MOD, c, EPOLLIN);
}

static int echo(struct server *s, struct connection *c) {
  ssize_t count;
  do {
    s->counters->reads++;
    count = recv(c->fd, s->buffer, s->buffer_size, 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return errno == EAGAIN ? 0 : close_connection(s, c);
  if (count == 0) return close_connection(s, c);
  ssize_t sent = send_some(s, c->fd, s->buffer, (size_t)count);
  if (sent == count) return 0;
  if (sent < 0) {
    if (errno != EAGAIN) return close_connection(s, c);
    sent = 0;
  }
  return keep(s, c, s->buffer + sent, (size_t)(count - sent));
}

int baseline_serve(int listener, int events_per_wait, size_t buffer_size, struct bench_counters *counters) {
  struct server s = {.epoll = epoll_create1(EPOLL_CLOEXEC), .listener = listener, .buffer = malloc(buffer_size),
                     .buffer_size = buffer_size, .counters = counters};
  struct epoll_event *events = malloc((size_t)events_per_wait * sizeof *events);
  if (s.epoll < 0) return -errno;
  if (!s.buffer || !events) return -ENOMEM;
  int result = control(&s, EPOLL_CTL_ADD, NULL, EPOLLIN);
  while (result >= 0) {
    counters->waits++;
    int count = epoll_wait(s.epoll, events, events_per_wait, -1);
    counters->returns++;
    if (count > 0) counters->events += (uint64_t)count;
    if (count < 0) {
      if (errno == EINTR) continue;
      result = -errno;
    }
    for (int i = 0; i < count && result >= 0; i++) {
      struct connection *c = events[i].data.ptr;
      if (!c) result = accept_all(&s);
      else if (c->rest) result = send_rest(&s, c);
      else result = echo(&s, c);
    }
  }
  return result;
}
