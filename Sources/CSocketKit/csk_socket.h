// Socket calls: each returns the kernel's value, or -errno. socket(2), accept(2), connect(2), recvmsg(2), sendmsg(2) …
#ifndef CSK_SOCKET_H
#define CSK_SOCKET_H

#include "csk_types.h"

CSK_INLINE long csk_close(int fd) { CSK_CALL(close(fd), csk_syscall3(SYS_close, fd, 0, 0)); }
CSK_INLINE long csk_fcntl(int fd, int command, long argument) { return csk_syscall3(SYS_fcntl, fd, command, argument); }
CSK_INLINE long csk_ioctl(int fd, unsigned long request, void *argument) {
  return csk_syscall3(SYS_ioctl, fd, (long)request, (long)argument);
}

CSK_INLINE long csk_socket(int family, int type, int protocol) {
  CSK_CALL(socket(family, type, protocol), csk_syscall3(SYS_socket, family, type, protocol));
}
CSK_INLINE long csk_socketpair(int family, int type, int protocol, int *pair) {
  CSK_CALL(socketpair(family, type, protocol, pair), csk_syscall4(SYS_socketpair, family, type, protocol, (long)pair));
}
CSK_INLINE long csk_bind(int fd, const void *address, unsigned int length) {
  CSK_CALL(bind(fd, (const struct sockaddr *)address, length), csk_syscall3(SYS_bind, fd, (long)address, length));
}
CSK_INLINE long csk_listen(int fd, int backlog) { CSK_CALL(listen(fd, backlog), csk_syscall3(SYS_listen, fd, backlog, 0)); }
CSK_INLINE long csk_connect(int fd, const void *address, unsigned int length) {
  CSK_CALL(connect(fd, (const struct sockaddr *)address, length), csk_syscall3(SYS_connect, fd, (long)address, length));
}
CSK_INLINE long csk_accept4(int fd, void *address, unsigned int *length, int flags) {
  CSK_CALL(accept4(fd, (struct sockaddr *)address, length, flags),
           csk_syscall4(SYS_accept4, fd, (long)address, (long)length, flags));
}
CSK_INLINE long csk_shutdown(int fd, int how) { CSK_CALL(shutdown(fd, how), csk_syscall3(SYS_shutdown, fd, how, 0)); }
CSK_INLINE long csk_getsockname(int fd, void *address, unsigned int *length) {
  return csk_syscall3(SYS_getsockname, fd, (long)address, (long)length);
}
CSK_INLINE long csk_getpeername(int fd, void *address, unsigned int *length) {
  return csk_syscall3(SYS_getpeername, fd, (long)address, (long)length);
}
CSK_INLINE long csk_getsockopt(int fd, int level, int name, void *value, unsigned int *length) {
  return csk_syscall5(SYS_getsockopt, fd, level, name, (long)value, (long)length);
}
CSK_INLINE long csk_setsockopt(int fd, int level, int name, const void *value, unsigned int length) {
  return csk_syscall5(SYS_setsockopt, fd, level, name, (long)value, length);
}

CSK_INLINE long csk_recv(int fd, void *bytes, size_t count, int flags) {
  CSK_CALL(recv(fd, bytes, count, flags), csk_syscall6(SYS_recvfrom, fd, (long)bytes, (long)count, flags, 0, 0));
}
CSK_INLINE long csk_send(int fd, const void *bytes, size_t count, int flags) {
  CSK_CALL(send(fd, bytes, count, flags), csk_syscall6(SYS_sendto, fd, (long)bytes, (long)count, flags, 0, 0));
}
CSK_INLINE long csk_sendto(int fd, const void *bytes, size_t count, int flags, const void *address,
                           unsigned int length) {
  CSK_CALL(sendto(fd, bytes, count, flags, (const struct sockaddr *)address, length),
           csk_syscall6(SYS_sendto, fd, (long)bytes, (long)count, flags, (long)address, length));
}
CSK_INLINE long csk_recvmsg(int fd, struct csk_msghdr *message, int flags) {
  CSK_CALL(recvmsg(fd, (struct msghdr *)message, flags), csk_syscall3(SYS_recvmsg, fd, (long)message, flags));
}
CSK_INLINE long csk_sendmsg(int fd, const struct csk_msghdr *message, int flags) {
  CSK_CALL(sendmsg(fd, (const struct msghdr *)message, flags), csk_syscall3(SYS_sendmsg, fd, (long)message, flags));
}

/// Receives up to `count` messages; never waits (MSG_DONTWAIT). TSan has no interceptor that knows csk_mmsghdr, so there it
/// goes one by one.
CSK_INLINE long csk_recvmmsg(int fd, struct csk_mmsghdr *messages, unsigned int count, int flags) {
#if defined(CSK_LIBC)
  unsigned int done = 0;
  while (done < count) {
    long result = csk_recvmsg(fd, &messages[done].message, flags | CSK_MSG_DONTWAIT);
    if (result < 0) return done ? (long)done : result;
    messages[done++].length = (unsigned int)result;
  }
  return done;
#else
  return csk_syscall5(SYS_recvmmsg, fd, (long)messages, count, flags | CSK_MSG_DONTWAIT, 0);
#endif
}
/// Sends up to `count` messages; never waits.
CSK_INLINE long csk_sendmmsg(int fd, struct csk_mmsghdr *messages, unsigned int count, int flags) {
#if defined(CSK_LIBC)
  unsigned int done = 0;
  while (done < count) {
    long result = csk_sendmsg(fd, &messages[done].message, flags | CSK_MSG_DONTWAIT);
    if (result < 0) return done ? (long)done : result;
    messages[done++].length = (unsigned int)result;
  }
  return done;
#else
  return csk_syscall4(SYS_sendmmsg, fd, (long)messages, count, flags | CSK_MSG_DONTWAIT);
#endif
}

#endif
