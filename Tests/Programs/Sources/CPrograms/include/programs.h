#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdint.h>

/// Bytes that malloc has given out, in all arenas.
long programs_heap_in_use(void);
/// A CLOEXEC event descriptor with this value, or -1.
int programs_event(uint32_t value);
/// The value of an event descriptor, which is zero then; or -1.
long programs_event_take(int descriptor);
/// The calling thread's number in the kernel.
int programs_thread(void);
/// Makes a network namespace with loopback up for this process: 0, or -1.
int programs_own_network(void);
/// Waits until a descriptor is readable or has an error, by select(2), at most this many milliseconds: 1 when it is.
int programs_readable(int descriptor, int milliseconds);

#endif
