// The read-and-write loop of Shapes/ReadWrite.swift in C.
#ifndef COUNTER_LOOP_H
#define COUNTER_LOOP_H

/// Echoes until so many messages of at most 64 bytes went, watching `fd` by an epoll of its own. Their number, or
/// -errno.
long counter_loop(int fd, long messages);

#endif
