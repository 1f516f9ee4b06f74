#include "counter_loop.h"
#include "../../../../../Sources/CSocketKit/csk_epoll.h"
#include "../../../../../Sources/CSocketKit/csk_socket.h"

// A function of its own, so that callgrind can count the loop alone.
__attribute__((noinline)) long counter_loop_turns(int epoll, int fd, struct csk_epoll_event *events, long messages) {
  char buffer[64] = {0};
  long done = 0;
  while (done < messages) {
    long count;
    do count = csk_epoll_wait(epoll, events, 256, -1);
    while (count == -CSK_EINTR);
    if (count < 0) return count;
    for (long i = 0; i < count; i++) {
      if (!(events[i].events & 1)) continue;
      long got;
      do got = csk_recv(fd, buffer, sizeof buffer, 0);
      while (got == -CSK_EINTR);
      if (got == 0) return done;
      if (got == -CSK_EAGAIN) continue;
      if (got < 0) return got;
      long put;
      do put = csk_send(fd, buffer, (size_t)got, CSK_MSG_NOSIGNAL);
      while (put == -CSK_EINTR);
      if (put < 0 && put != -CSK_EAGAIN) return put;
      done++;
    }
  }
  return done;
}

long counter_loop(int fd, long messages) {
  static struct csk_epoll_event events[256];
  long epoll = csk_epoll_create(CSK_EPOLL_CLOEXEC);
  if (epoll < 0) return epoll;
  struct csk_epoll_event event = {.events = 1, .data = (uint64_t)fd};
  long result = csk_epoll_ctl((int)epoll, CSK_EPOLL_CTL_ADD, fd, &event);
  if (result >= 0) result = counter_loop_turns((int)epoll, fd, events, messages);
  csk_close((int)epoll);
  return result;
}
