#define _GNU_SOURCE
#include "baseline.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

static int fail(int fd) {
  int error = errno;
  close(fd);
  return -error;
}

int baseline_listen_tcp(uint16_t *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  // Accepted sockets inherit TCP_NODELAY. SocketKit's listener also sets this option.
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
      bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 511) < 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) < 0)
    return fail(fd);
  *port = ntohs(address.sin_port);
  return fd;
}

int baseline_listen_sctp(uint16_t *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);
  if (fd < 0) return -errno;
  int on = 1, room = BASELINE_SCTP_BUFFER;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  // Accepted sockets inherit both options. SocketKit's listener also sets them.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0 &&
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0)
    return fail(fd);
  if (setsockopt(fd, IPPROTO_SCTP, 3 /* SCTP_NODELAY */, &on, sizeof on) < 0 ||
      bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 511) < 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) < 0)
    return fail(fd);
  *port = ntohs(address.sin_port);
  return fd;
}

int baseline_listen_unix(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path + 1, name, length);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
  if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 511) < 0) return fail(fd);
  return fd;
}

int baseline_listen_vsock(uint32_t *port) {
  int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = 1, .svm_port = VMADDR_PORT_ANY};
  socklen_t length = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 511) < 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) < 0)
    return fail(fd);
  *port = address.svm_port;
  return fd;
}
