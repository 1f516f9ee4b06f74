// ppoll(2).
#ifndef CSK_POLL_H
#define CSK_POLL_H

#include "csk_types.h"

#define CSK_POLLIN 0x1
#define CSK_POLLPRI 0x2
#define CSK_POLLOUT 0x4
#define CSK_POLLERR 0x8
#define CSK_POLLHUP 0x10
#define CSK_POLLNVAL 0x20
#define CSK_POLLRDHUP 0x2000

struct csk_pollfd {
  int fd;
  short events;
  short revents;
};

/// `time` null: for ever. The kernel writes the rest of the time back into it.
CSK_INLINE long csk_ppoll(struct csk_pollfd *fds, unsigned long count, struct csk_timespec *time) {
#if defined(CSK_LIBC)
  // In the form of poll(2), which every libc has without feature macros and which TSan intercepts.
  long ms = time ? time->tv_sec * 1000 + (time->tv_nsec + 999999) / 1000000 : -1;
  return csk_from_libc(poll((struct pollfd *)fds, count, (int)(ms > 0x7fffffff ? 0x7fffffff : ms)));
#else
  return csk_syscall5(SYS_ppoll, (long)fds, (long)count, (long)time, 0, 8);
#endif
}

#endif
