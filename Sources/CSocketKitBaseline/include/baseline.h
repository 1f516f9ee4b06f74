// What `socketkit bench` measures against: an echo server and a loop in plain C, with glibc's own functions and
// epoll(7), level-triggered. Written as a C program would be; it shares no line with SocketKit.
#ifndef BASELINE_H
#define BASELINE_H

#include "process.h"
#include <stddef.h>
#include <stdint.h>

/// What a server's loop counts: one for every system call that it makes, where it makes it. One writer; the parent
/// reads the page when nothing moves.
struct bench_counters {
  uint64_t waits;     // calls of the poller's wait
  uint64_t returns;   // returns of it
  uint64_t events;    // what these returns reported
  uint64_t hidden;    // calls that a wait made beyond one: a spin poller's tries
  uint64_t reads;
  uint64_t writes;
  uint64_t accepts;
  uint64_t controls;  // registering, modifying, deregistering, where that is a call
  uint64_t open;      // connections now
  uint64_t peak;      // the most there were at once
};

/// A listener on 127.0.0.1 and a port that the kernel chose. Its descriptor, or -errno.
int baseline_listen_tcp(uint16_t *port);
/// The same over SCTP, one-to-one.
int baseline_listen_sctp(uint16_t *port);
/// The receive buffer of both ends over SCTP, in bytes, where it is allowed.
#define BASELINE_SCTP_BUFFER (1 << 20)
/// A listener on an abstract name. Its descriptor, or -errno.
int baseline_listen_unix(const char *name);
/// A listener on the vsock loopback of this machine (VMADDR_CID_LOCAL) and a port that the kernel chose. Its
/// descriptor, or -errno.
int baseline_listen_vsock(uint32_t *port);
/// Echoes on every connection. Returns only when it fails: -errno.
int baseline_serve(int listener, int events_per_wait, size_t buffer_size, struct bench_counters *counters);
/// Both ends in this thread: bounces numbered messages of `size` bytes between two connected descriptors, `warm_up`
/// round trips and then `count`, whose times in nanoseconds go to `samples`, and whose calls to `counters`. 0, or
/// -errno: -EBADMSG when other bytes come back than went, -ECONNRESET when an end is closed.
int baseline_bounce(int near, int far, size_t size, size_t warm_up, size_t count, int64_t *samples,
                    struct bench_counters *counters);

/// How a datagram server echoes.
enum baseline_datagrams {
  BASELINE_ONE,      // one datagram for each wait: recvfrom and sendto
  BASELINE_PLAIN,    // recvfrom and sendto until nothing is left, then a wait
  BASELINE_BATCH,    // recvmmsg and sendmmsg
  BASELINE_JOINED,   // recvmmsg, and sendmsg of many datagrams as one: UDP_SEGMENT
  BASELINE_OFFLOAD,  // recvmmsg and sendmmsg of coalesced datagrams: UDP_GRO, UDP_SEGMENT
};

/// A UDP socket on 127.0.0.1 and a port that the kernel chose, with a receive buffer of so many bytes where that is
/// allowed. Its descriptor, or -errno.
int baseline_bind_udp(uint16_t *port, int receive_buffer);
/// Echoes datagrams of at most `size` bytes, `batch` with one call where the calls are for many. What the kernel does
/// not take is lost. Returns only when it fails: -errno.
int baseline_serve_datagrams(int fd, enum baseline_datagrams how, size_t size, unsigned batch,
                             struct bench_counters *counters);
/// The same for BASELINE_BATCH and BASELINE_OFFLOAD only.
int baseline_serve_batches(int fd, enum baseline_datagrams how, size_t size, unsigned batch,
                           struct bench_counters *counters);

#endif
