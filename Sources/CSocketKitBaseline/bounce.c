#define _GNU_SOURCE
#include "baseline.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

// Writes the number of a message to its first bytes, so that an old reply is detected.
static void stamp(char *message, size_t size, uint64_t number) {
  memcpy(message, &number, size < sizeof number ? size : sizeof number);
}

struct bounce {
  int epoll, near;
  size_t size;
  char *message, *buffer;
  uint64_t number;  // number of the current message
  struct bench_counters *counters;
};

// The near end sends a numbered message. The far end sends back the bytes that it reads. The near end compares the
// reply with the message.
static int bounce(struct bounce *b, size_t rounds, int64_t *samples) {
  struct epoll_event events[2];
  struct bench_counters *counters = b->counters;
  size_t arrived[2] = {0, 0}, size = b->size;
  stamp(b->message, size, ++b->number);
  int64_t start = now();
  counters->writes++;
  if (send(b->near, b->message, size, MSG_NOSIGNAL) != (ssize_t)size) return -EIO;
  for (size_t done = 0; done < rounds;) {
    counters->waits++;
    int ready = epoll_wait(b->epoll, events, 2, -1);
    counters->returns++;
    if (ready < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    counters->events += (uint64_t)ready;
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd, is_near = fd == b->near;
      char *buffer = b->buffer + (is_near ? size : 0);
      counters->reads++;
      ssize_t count = recv(fd, buffer + arrived[is_near], size - arrived[is_near], 0);
      if (count < 0) {
        if (errno == EAGAIN || errno == EINTR) continue;
        return -errno;
      }
      if (count == 0) return -ECONNRESET;
      arrived[is_near] += (size_t)count;
      if (arrived[is_near] < size) continue;
      arrived[is_near] = 0;
      if (is_near) {
        if (memcmp(buffer, b->message, size) != 0) return -EBADMSG;
        int64_t end = now();
        if (samples) samples[done] = end - start;
        start = end;
        if (++done == rounds) break;
        stamp(b->message, size, ++b->number);
      }
      counters->writes++;
      if (send(fd, is_near ? b->message : buffer, size, MSG_NOSIGNAL) != (ssize_t)size) return -EIO;
    }
  }
  return 0;
}

int baseline_bounce(int near, int far, size_t size, size_t warm_up, size_t count, int64_t *samples,
                    struct bench_counters *counters) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return -errno;
  struct bounce b = {.epoll = epoll, .near = near, .size = size, .message = calloc(1, size),
                     .buffer = calloc(2, size), .counters = counters};
  int result = b.message && b.buffer ? 0 : -ENOMEM;
  for (size_t i = 0; result == 0 && i < size; i++) b.message[i] = (char)i;
  if (result == 0 && (add(epoll, near) < 0 || add(epoll, far) < 0)) result = -errno;
  if (result == 0 && warm_up > 0) result = bounce(&b, warm_up, NULL);
  if (result == 0) {
    *counters = (struct bench_counters){0};
    result = bounce(&b, count, samples);
  }
  free(b.message);
  free(b.buffer);
  close(epoll);
  return result;
}
