#define _GNU_SOURCE
#include "counter_loop.h"
#include "../../../../../Sources/CSocketKit/csk_epoll.h"
#include "../../../../../Sources/CSocketKit/csk_socket.h"
#include <sched.h>
#include <stdlib.h>

// A function of its own, so that callgrind can count the loop alone.
__attribute__((noinline)) long counter_datagram_turns(int epoll, int fd, struct csk_epoll_event *events,
                                                      long messages) {
  char buffer[64] = {0};
  char sender[128];
  long done = 0;
  while (done < messages) {
    long count;
    do count = csk_epoll_wait(epoll, events, 256, -1);
    while (count == -CSK_EINTR);
    if (count < 0) return count;
    for (long i = 0; i < count; i++) {
      unsigned length = sizeof sender;
      long got;
      do got = csk_recvfrom(fd, buffer, sizeof buffer, CSK_MSG_TRUNC, sender, &length);
      while (got == -CSK_EINTR);
      if (got == -CSK_EAGAIN) continue;
      if (got < 0) return got;
      if (got > (long)sizeof buffer) got = sizeof buffer;
      long put;
      do put = csk_sendto(fd, buffer, (size_t)got, CSK_MSG_NOSIGNAL, sender, length);
      while (put == -CSK_EINTR);
      if (put < 0 && put != -CSK_EAGAIN) return put;
      done++;
    }
  }
  return done;
}

struct batch {
  unsigned capacity, used;
  size_t size, control_size;
  struct csk_mmsghdr *headers;
  struct csk_iovec *vectors;
  char *names, *bytes, *control;
};

static void make_room(struct batch *b) {
  for (unsigned i = 0; i < b->used; i++) {
    b->vectors[i].length = b->size;
    b->headers[i].message.name_length = 128;
    b->headers[i].message.control_length = b->control_size;
  }
}

static long receive(int fd, struct batch *b) {
  make_room(b);
  b->used = 0;
  long got;
  do got = csk_recvmmsg(fd, b->headers, b->capacity, CSK_MSG_TRUNC | CSK_MSG_CMSG_CLOEXEC);
  while (got == -CSK_EINTR);
  if (got > 0) b->used = (unsigned)got;
  return got;
}

static long send_all(int fd, struct batch *b) {
  unsigned sent = 0;
  while (sent < b->used) {
    long put = csk_sendmmsg(fd, b->headers + sent, b->used - sent, CSK_MSG_NOSIGNAL);
    if (put == -CSK_EINTR) continue;
    if (put == -CSK_EAGAIN) break;
    if (put < 0) return put;
    sent += (unsigned)put;
  }
  return sent;
}

__attribute__((noinline)) long counter_batch_turns(int epoll, int fd, struct csk_epoll_event *events, struct batch *b,
                                                   long messages) {
  long done = 0;
  while (done < messages) {
    long count;
    do count = csk_epoll_wait(epoll, events, 256, -1);
    while (count == -CSK_EINTR);
    if (count < 0) return count;
    for (long i = 0; i < count; i++) {
      long got = receive(fd, b);
      if (got == -CSK_EAGAIN) continue;
      if (got < 0) return got;
      for (unsigned k = 0; k < b->used; k++) {
        size_t length = b->headers[k].length;
        b->vectors[k].length = length < b->size ? length : b->size;
        b->headers[k].message.control_length = 0;
      }
      long put = send_all(fd, b);
      if (put < 0) return put;
      done += put;
    }
  }
  return done;
}

// The size of coalesced datagrams, 0 where there is one only.
static size_t segment_size(const struct csk_msghdr *message) {
  char *at = message->control, *end = at + message->control_length;
  while (end - at >= (long)sizeof(struct csk_cmsghdr)) {
    const struct csk_cmsghdr *header = (void *)at;
    if (header->length < sizeof *header || header->length > (size_t)(end - at)) break;
    if (header->level == CSK_IPPROTO_UDP && header->type == CSK_UDP_GRO) return (size_t)*(int *)(header + 1);
    size_t step = (header->length + 7) & ~(size_t)7;
    if (step > (size_t)(end - at)) break;
    at += step;
  }
  return 0;
}

__attribute__((noinline)) long counter_offload_turns(int epoll, int fd, struct csk_epoll_event *events, struct batch *b,
                                                     long messages) {
  long done = 0;
  while (done < messages) {
    long count;
    do count = csk_epoll_wait(epoll, events, 256, -1);
    while (count == -CSK_EINTR);
    if (count < 0) return count;
    for (long i = 0; i < count; i++) {
      long got = receive(fd, b);
      if (got == -CSK_EAGAIN) continue;
      if (got < 0) return got;
      for (unsigned k = 0; k < b->used; k++) {
        struct csk_msghdr *message = &b->headers[k].message;
        size_t length = b->headers[k].length, size = segment_size(message);
        b->vectors[k].length = length < b->size ? length : b->size;
        message->control_length = 0;
        done += size ? (long)((b->vectors[k].length + size - 1) / size) : 1;
        if (!size) continue;
        struct csk_cmsghdr *header = message->control;
        *header = (struct csk_cmsghdr){sizeof *header + 2, CSK_IPPROTO_UDP, CSK_UDP_SEGMENT};
        *(uint16_t *)(header + 1) = (uint16_t)size;
        message->control_length = sizeof *header + 8;
      }
      long put = send_all(fd, b);
      if (put < 0) return put;
    }
  }
  return done;
}

static int make(struct batch *b) {
  b->headers = calloc(b->capacity, sizeof *b->headers);
  b->vectors = calloc(b->capacity, sizeof *b->vectors);
  b->names = calloc(b->capacity, 128);
  b->bytes = calloc(b->capacity, b->size);
  b->control = calloc(b->capacity, b->control_size + 1);
  if (!b->headers || !b->vectors || !b->names || !b->bytes || !b->control) return 0;
  for (unsigned i = 0; i < b->capacity; i++) {
    b->vectors[i].base = b->bytes + i * b->size;
    b->headers[i].message.name = b->names + i * 128;
    b->headers[i].message.vectors = &b->vectors[i];
    b->headers[i].message.vector_count = 1;
    b->headers[i].message.control = b->control_size ? b->control + i * b->control_size : NULL;
  }
  b->used = b->capacity;
  return 1;
}

long counter_datagrams(int fd, enum counter_datagrams how, unsigned capacity, size_t size, long messages) {
  static struct csk_epoll_event events[256];
  struct batch batch = {.capacity = capacity, .size = size, .control_size = how == COUNTER_OFFLOAD ? 64 : 0};
  if (how != COUNTER_PLAIN && !make(&batch)) return -CSK_ENOMEM;
  long epoll = csk_epoll_create(CSK_EPOLL_CLOEXEC);
  if (epoll < 0) return epoll;
  struct csk_epoll_event event = {.events = 1, .data = (uint64_t)fd};
  long result = csk_epoll_ctl((int)epoll, CSK_EPOLL_CTL_ADD, fd, &event);
  if (result >= 0 && how == COUNTER_PLAIN) result = counter_datagram_turns((int)epoll, fd, events, messages);
  if (result >= 0 && how == COUNTER_BATCH) result = counter_batch_turns((int)epoll, fd, events, &batch, messages);
  if (result >= 0 && how == COUNTER_OFFLOAD) result = counter_offload_turns((int)epoll, fd, events, &batch, messages);
  csk_close((int)epoll);
  free(batch.headers);
  free(batch.vectors);
  free(batch.names);
  free(batch.bytes);
  free(batch.control);
  return result;
}

int counter_take_turns(void) {
  cpu_set_t all, one;
  struct sched_param none = {0};
  if (sched_getaffinity(0, sizeof all, &all) < 0) return -1;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof one, &one) < 0) return -1;
  return sched_setscheduler(0, SCHED_BATCH, &none);
}
