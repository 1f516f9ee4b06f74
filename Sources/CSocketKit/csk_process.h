// Calls for processes that are identified by descriptors: pidfd_open(2), pidfd_getfd(2), pidfd_send_signal(2), and
// waitid(2) with P_PIDFD.
#ifndef CSK_PROCESS_H
#define CSK_PROCESS_H

#include "csk_types.h"

// These numbers are the same on every CPU that Swift supports. Older kernel headers do not define them.
#define CSK_SYS_PIDFD_SEND_SIGNAL 424
#define CSK_SYS_PIDFD_OPEN 434
#define CSK_SYS_PIDFD_GETFD 438

#define CSK_CLD_EXITED 1
#define CSK_CLD_KILLED 2
#define CSK_CLD_DUMPED 3

/// The state of a child that waitid(2) reports: siginfo_t, 128 bytes. All bytes are zero until the child has ended.
struct csk_child_state {
  int32_t signal;
  int32_t error;
  int32_t code;
#if __SIZEOF_POINTER__ == 8
  int32_t gap; // The next field is a union with the alignment of a pointer.
#endif
  int32_t process;
  uint32_t user;
  int32_t status;
#if __SIZEOF_POINTER__ == 8
  uint8_t rest[100];
#else
  uint8_t rest[104];
#endif
};
_Static_assert(sizeof(struct csk_child_state) == 128, "siginfo_t has 128 bytes");

/// Returns a CLOEXEC descriptor of the process.
CSK_INLINE long csk_pidfd_open(int process) { return csk_syscall3(CSK_SYS_PIDFD_OPEN, process, 0, 0); }
/// Returns a CLOEXEC copy of the process's descriptor `number`.
CSK_INLINE long csk_pidfd_getfd(int fd, int number) { return csk_syscall3(CSK_SYS_PIDFD_GETFD, fd, number, 0); }
CSK_INLINE long csk_pidfd_send_signal(int fd, int signal) {
  return csk_syscall4(CSK_SYS_PIDFD_SEND_SIGNAL, fd, signal, 0, 0);
}
/// If the child has ended, reaps the child. Does not wait (P_PIDFD, WNOHANG | WEXITED).
CSK_INLINE long csk_collect_child(int fd, struct csk_child_state *state) {
  return csk_syscall5(SYS_waitid, 3, fd, (long)state, 1 | 4, 0);
}
/// Checks whether the process is a child that has ended. Does not reap the child (P_PIDFD, WNOHANG | WEXITED |
/// WNOWAIT).
CSK_INLINE long csk_find_child(int fd) { return csk_syscall5(SYS_waitid, 3, fd, 0, 1 | 4 | 0x01000000, 0); }

#endif
