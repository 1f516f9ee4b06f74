#define _GNU_SOURCE
#include "baseline.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int baseline_bind_udp(uint16_t *port, int receive_buffer) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (bind(fd, (struct sockaddr *)&address, length) < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  *port = ntohs(address.sin_port);
  return fd;
}

// Receives one datagram and sends it back. Returns 1 to try again, 0 if there was no datagram, or -errno if the socket
// fails.
static int echo(int fd, char *buffer, size_t size, struct bench_counters *counters) {
  struct sockaddr_in sender;
  socklen_t length = sizeof sender;
  counters->reads++;
  ssize_t count = recvfrom(fd, buffer, size, 0, (struct sockaddr *)&sender, &length);
  if (count < 0) return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -errno;
  counters->writes++;
  if (sendto(fd, buffer, (size_t)count, MSG_NOSIGNAL, (struct sockaddr *)&sender, length) < 0 && errno != EAGAIN)
    return -errno;
  return 1;
}

int baseline_serve_datagrams(int fd, enum baseline_datagrams how, size_t size, unsigned batch,
                             struct bench_counters *counters) {
  if (how != BASELINE_ONE && how != BASELINE_PLAIN) return baseline_serve_batches(fd, how, size, batch, counters);
  char *buffer = malloc(size);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (!buffer) return -ENOMEM;
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) return -errno;
  for (;;) {
    counters->waits++;
    int ready = epoll_wait(epoll, &event, 1, -1);
    counters->returns++;
    if (ready < 0 && errno != EINTR) return -errno;
    if (ready < 1) continue;
    counters->events++;
    int result;
    do result = echo(fd, buffer, size, counters);
    while (result > 0 && how == BASELINE_PLAIN);
    if (result < 0) return result;
  }
}
