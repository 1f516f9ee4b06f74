// eventfd(2): the wake-up of pollers and waits.
#ifndef CSK_EVENT_H
#define CSK_EVENT_H

#include "csk_types.h"

/// A non-blocking CLOEXEC event counter at zero.
CSK_INLINE long csk_eventfd(void) {
  CSK_CALL(eventfd(0, CSK_SOCK_CLOEXEC | CSK_SOCK_NONBLOCK),
           csk_syscall3(SYS_eventfd2, 0, CSK_SOCK_CLOEXEC | CSK_SOCK_NONBLOCK, 0));
}
/// Adds one. -EAGAIN means that it is signalled already.
CSK_INLINE long csk_event_signal(int fd) {
  uint64_t one = 1;
  CSK_CALL(write(fd, &one, 8), csk_syscall3(SYS_write, fd, (long)&one, 8));
}
/// Back to zero. -EAGAIN means that it was zero.
CSK_INLINE long csk_event_drain(int fd) {
  uint64_t count;
  CSK_CALL(read(fd, &count, 8), csk_syscall3(SYS_read, fd, (long)&count, 8));
}

#endif
