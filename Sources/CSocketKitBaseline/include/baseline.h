// The baseline of `socketkit bench`: an echo server and a client loop in plain C, which call glibc's functions and
// level-triggered epoll(7). The code is independent of SocketKit and is written like an ordinary C program.
#ifndef BASELINE_H
#define BASELINE_H

#include "process.h"
#include <stddef.h>
#include <stdint.h>

/// The counters of a server's loop. The server adds one at each system call that it makes. Only the server writes to
/// this page. The parent process reads the page while the server is idle.
struct bench_counters {
  uint64_t waits;     // calls of the poller's wait function
  uint64_t returns;   // returns of the wait function
  uint64_t events;    // events that these calls reported
  uint64_t hidden;    // additional system calls of waits: the attempts of a spin poller
  uint64_t reads;
  uint64_t writes;
  uint64_t accepts;
  uint64_t controls;  // system calls that register, modify or deregister
  uint64_t open;      // current number of connections
  uint64_t peak;      // largest number of connections at the same time
};

/// Creates a TCP listener on 127.0.0.1 and a port that the kernel selects. Returns its descriptor, or -errno.
int baseline_listen_tcp(uint16_t *port);
/// Does the same as baseline_listen_tcp for one-to-one SCTP.
int baseline_listen_sctp(uint16_t *port);
/// The size in bytes of the receive buffers of both ends over SCTP. Without the privilege, the kernel may limit the
/// size.
#define BASELINE_SCTP_BUFFER (1 << 20)
/// Creates a Unix listener on an abstract name. Returns its descriptor, or -errno.
int baseline_listen_unix(const char *name);
/// Creates a listener on the vsock loopback of this machine (VMADDR_CID_LOCAL) and a port that the kernel selects.
/// Returns its descriptor, or -errno.
int baseline_listen_vsock(uint32_t *port);
/// Echoes the data of every connection. Returns only if it fails, with -errno.
int baseline_serve(int listener, int events_per_wait, size_t buffer_size, struct bench_counters *counters);
/// Sends numbered messages of `size` bytes back and forth between two connected descriptors, both in this thread. The
/// function makes `warm_up` round trips and then `count` measured round trips. It writes the times of the measured
/// round trips in nanoseconds to `samples`, and counts their system calls in `counters`. Returns 0; -EBADMSG if the
/// bytes that return differ from the bytes sent; -ECONNRESET if an end is closed; or another -errno.
int baseline_bounce(int near, int far, size_t size, size_t warm_up, size_t count, int64_t *samples,
                    struct bench_counters *counters);

/// The way in which a datagram server echoes.
enum baseline_datagrams {
  BASELINE_ONE,      // one datagram after each wait, with recvfrom and sendto
  BASELINE_PLAIN,    // recvfrom and sendto until the queue is empty, then a wait
  BASELINE_BATCH,    // recvmmsg and sendmmsg
  BASELINE_JOINED,   // recvmmsg, and sendmsg of many datagrams as one message (UDP_SEGMENT)
  BASELINE_OFFLOAD,  // recvmmsg and sendmmsg of coalesced datagrams (UDP_GRO, UDP_SEGMENT)
};

/// Creates a UDP socket on 127.0.0.1 and a port that the kernel selects. `receive_buffer` is the size of its receive
/// buffer in bytes, which the kernel may limit. Returns its descriptor, or -errno.
int baseline_bind_udp(uint16_t *port, int receive_buffer);
/// Echoes datagrams of at most `size` bytes. Calls that transfer many datagrams transfer up to `batch`. Datagrams that
/// the kernel does not accept are lost. Returns only if it fails, with -errno.
int baseline_serve_datagrams(int fd, enum baseline_datagrams how, size_t size, unsigned batch,
                             struct bench_counters *counters);
/// Does the same as baseline_serve_datagrams, but only for BASELINE_BATCH and BASELINE_OFFLOAD.
int baseline_serve_batches(int fd, enum baseline_datagrams how, size_t size, unsigned batch,
                           struct bench_counters *counters);

#endif
