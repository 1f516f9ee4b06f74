// Calls for descriptors that are not sockets: read(2), write(2), readv(2), writev(2). This header also defines the
// requests for the number of queued bytes: SIOCINQ and SIOCOUTQ of linux/sockios.h, which are named FIONREAD and
// TIOCOUTQ for pipes and terminals.
#ifndef CSK_STREAM_H
#define CSK_STREAM_H

#include "csk_types.h"

#define CSK_SIOCINQ 0x541b
#define CSK_SIOCOUTQ 0x5411
#define CSK_SIOCOUTQNSD 0x894b

CSK_INLINE long csk_read(int fd, void *bytes, size_t count) {
  CSK_CALL(read(fd, bytes, count), csk_syscall3(SYS_read, fd, (long)bytes, (long)count));
}
CSK_INLINE long csk_write(int fd, const void *bytes, size_t count) {
  CSK_CALL(write(fd, bytes, count), csk_syscall3(SYS_write, fd, (long)bytes, (long)count));
}
CSK_INLINE long csk_readv(int fd, const struct csk_iovec *vectors, size_t count) {
  return csk_syscall3(SYS_readv, fd, (long)vectors, (long)count);
}
CSK_INLINE long csk_writev(int fd, const struct csk_iovec *vectors, size_t count) {
  return csk_syscall3(SYS_writev, fd, (long)vectors, (long)count);
}

#endif
