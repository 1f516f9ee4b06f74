// The loops of Shapes/ReadWrite.swift and Shapes/DatagramLoops.swift in C.
#ifndef COUNTER_LOOP_H
#define COUNTER_LOOP_H

#include <stddef.h>

/// Echoes until so many messages of at most 64 bytes went, watching `fd` by an epoll of its own. Their number, or
/// -errno.
long counter_loop(int fd, long messages);

enum counter_datagrams { COUNTER_PLAIN, COUNTER_BATCH, COUNTER_OFFLOAD };

/// The same for datagrams: one by one, in batches, or in batches of coalesced ones, with a batch of so many messages of
/// so many bytes.
long counter_datagrams(int fd, enum counter_datagrams how, unsigned capacity, size_t size, long messages);

/// Has this process share a CPU with another one that calls this, each working until it has nothing to do: then what
/// is sent at once is received at once. 0, or -1.
int counter_take_turns(void);

#endif
