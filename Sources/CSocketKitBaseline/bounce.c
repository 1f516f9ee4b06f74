#define _GNU_SOURCE
#include "baseline.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int add(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// Whichever end becomes readable reads the bytes and sends them back.
static int bounce(int epoll, int near, size_t size, char *buffer, size_t rounds, int64_t *samples,
                  struct bench_counters *counters) {
  struct epoll_event events[2];
  size_t arrived = 0;
  int64_t start = now();
  counters->writes++;
  if (send(near, buffer, size, MSG_NOSIGNAL) != (ssize_t)size) return -EIO;
  for (size_t done = 0; done < rounds;) {
    counters->waits++;
    int ready = epoll_wait(epoll, events, 2, -1);
    if (ready < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      counters->reads++;
      ssize_t count = recv(fd, buffer + arrived, size - arrived, 0);
      if (count < 0) {
        if (errno == EAGAIN || errno == EINTR) continue;
        return -errno;
      }
      if (count == 0) return -ECONNRESET;
      arrived += (size_t)count;
      if (arrived < size) continue;
      arrived = 0;
      if (fd == near) {
        int64_t end = now();
        if (samples) samples[done] = end - start;
        start = end;
        if (++done == rounds) break;
      }
      counters->writes++;
      if (send(fd, buffer, size, MSG_NOSIGNAL) != (ssize_t)size) return -EIO;
    }
  }
  return 0;
}

int baseline_bounce(int near, int far, size_t size, size_t warm_up, size_t count, int64_t *samples,
                    struct bench_counters *counters) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return -errno;
  char *buffer = calloc(1, size);
  int result = buffer ? 0 : -ENOMEM;
  if (result == 0 && (add(epoll, near) < 0 || add(epoll, far) < 0)) result = -errno;
  if (result == 0 && warm_up > 0) result = bounce(epoll, near, size, buffer, warm_up, NULL, counters);
  if (result == 0) {
    *counters = (struct bench_counters){0};
    result = bounce(epoll, near, size, buffer, count, samples, counters);
  }
  free(buffer);
  close(epoll);
  return result;
}
