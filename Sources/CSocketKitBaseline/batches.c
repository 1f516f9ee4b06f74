#define _GNU_SOURCE
#include "baseline.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define CONTROL_SIZE 64
// Every kernel with UDP_SEGMENT accepts this number of segments. Newer kernels accept 128.
#define MAX_JOINED 64

struct batch {
  unsigned capacity;
  size_t size;
  int offload, joined;
  struct mmsghdr *headers;
  struct iovec *vectors;
  struct sockaddr_in *names;
  char *bytes, *control;
};

static int make(struct batch *b) {
  b->headers = calloc(b->capacity, sizeof *b->headers);
  b->vectors = calloc(b->capacity, sizeof *b->vectors);
  b->names = calloc(b->capacity, sizeof *b->names);
  b->bytes = calloc(b->capacity, b->size);
  b->control = calloc(b->capacity, CONTROL_SIZE);
  if (!b->headers || !b->vectors || !b->names || !b->bytes || !b->control) return -ENOMEM;
  for (unsigned i = 0; i < b->capacity; i++) {
    b->vectors[i].iov_base = b->bytes + i * b->size;
    b->headers[i].msg_hdr.msg_iov = &b->vectors[i];
    b->headers[i].msg_hdr.msg_iovlen = 1;
    b->headers[i].msg_hdr.msg_name = &b->names[i];
  }
  return 0;
}

// Resets the fields that receiving and sending change, for the first `count` messages.
static void make_room(struct batch *b, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    b->vectors[i].iov_len = b->size;
    b->headers[i].msg_hdr.msg_namelen = sizeof *b->names;
    if (!b->offload) continue;
    b->headers[i].msg_hdr.msg_control = b->control + i * CONTROL_SIZE;
    b->headers[i].msg_hdr.msg_controllen = CONTROL_SIZE;
  }
}

static int segment_size(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO) continue;
    int size;
    memcpy(&size, CMSG_DATA(c), sizeof size);
    return size;
  }
  return 0;
}

// Sets the segment size, so that a coalesced message is sent back as the same datagrams.
static void set_segment_size(struct msghdr *message, uint16_t size) {
  message->msg_controllen = CMSG_SPACE(sizeof size);
  struct cmsghdr *c = CMSG_FIRSTHDR(message);
  c->cmsg_level = SOL_UDP;
  c->cmsg_type = UDP_SEGMENT;
  c->cmsg_len = CMSG_LEN(sizeof size);
  memcpy(CMSG_DATA(c), &size, sizeof size);
}

static void turn_round(struct batch *b, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    b->vectors[i].iov_len = b->headers[i].msg_len;
    if (!b->offload) continue;
    int size = segment_size(&b->headers[i].msg_hdr);
    if (size) set_segment_size(&b->headers[i].msg_hdr, (uint16_t)size);
    else b->headers[i].msg_hdr.msg_controllen = 0;
  }
}

// Returns the number of datagrams, starting with `first`, that can be sent as one message. They have the same receiver
// and the same size, the last may be shorter, and together they fit into one UDP message.
static int run_length(struct batch *b, int first, int count) {
  size_t size = b->vectors[first].iov_len, bytes = size;
  int end = first + 1;
  while (end < count && end - first < MAX_JOINED && size) {
    size_t next = b->vectors[end].iov_len;
    bytes += next;
    if (!next || next > size || bytes > 65507 || memcmp(&b->names[end], &b->names[first], sizeof *b->names)) break;
    end++;
    if (next < size) break;
  }
  return end - first;
}

// Sends all messages and joins runs of messages. Returns the number of messages sent, or -errno.
static int send_joined(int fd, struct batch *b, int count, struct bench_counters *counters) {
  char control[CONTROL_SIZE];
  int sent = 0;
  while (sent < count) {
    struct msghdr message = b->headers[sent].msg_hdr;
    int run = run_length(b, sent, count);
    if (run > 1) {
      message.msg_iovlen = (size_t)run;
      message.msg_control = control;
      set_segment_size(&message, (uint16_t)b->vectors[sent].iov_len);
    }
    counters->writes++;
    if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
      if (errno == EAGAIN) break;
      return -errno;
    }
    sent += run;
  }
  return sent;
}

// Receives a batch and sends it back. Returns the number of messages received, 0 if there were none, or -errno.
static int echo(int fd, struct batch *b, unsigned *used, struct bench_counters *counters) {
  make_room(b, *used);
  counters->reads++;
  int count = recvmmsg(fd, b->headers, b->capacity, MSG_DONTWAIT, NULL);
  *used = count < 0 ? 0 : (unsigned)count;
  if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  turn_round(b, *used);
  if (b->joined) {
    int sent = send_joined(fd, b, count, counters);
    return sent < 0 ? sent : count;
  }
  for (int sent = 0; sent < count;) {
    counters->writes++;
    int more = sendmmsg(fd, b->headers + sent, (unsigned)(count - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (more < 0 && errno == EAGAIN) break;
    if (more < 0) return -errno;
    sent += more;
  }
  return count;
}

int baseline_serve_batches(int fd, enum baseline_datagrams how, size_t size, unsigned batch,
                           struct bench_counters *counters) {
  struct batch b = {.capacity = batch, .size = size, .offload = how == BASELINE_OFFLOAD,
                    .joined = how == BASELINE_JOINED};
  int on = 1;
  int result = make(&b);
  if (result < 0) return result;
  make_room(&b, b.capacity);
  if (b.offload && setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on) < 0) return -errno;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) return -errno;
  unsigned used = 0;
  for (;;) {
    counters->waits++;
    int ready = epoll_wait(epoll, &event, 1, -1);
    counters->returns++;
    if (ready < 0 && errno != EINTR) return -errno;
    if (ready < 1) continue;
    counters->events++;
    // If the batch is not full, the queue is empty.
    do result = echo(fd, &b, &used, counters);
    while (result == (int)b.capacity);
    if (result < 0) return result;
  }
}
