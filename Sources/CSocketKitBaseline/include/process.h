// The process calls that a benchmark needs and that Swift's Glibc module does not show.
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/// A CLOEXEC memory file of so many bytes: its descriptor, or -errno.
int bench_memory_file(size_t size);
/// Maps it for both sides; null when that fails.
void *bench_map(int memory_file, size_t size);
void bench_unmap(void *page, size_t size);
/// Starts a program: nothing on standard input, standard output into a pipe whose other end goes to `output`, the
/// memory file as descriptor 3. Its process number, or -errno.
int bench_spawn(const char *program, char *const arguments[], int memory_file, int *output);
/// Whether a process that bench_spawn made has ended: 0 not yet; 1 with the exit status in `status`; 2 by the signal in
/// `status`; or -errno. bench_end is still to be called.
int bench_ended(int process, int *status);
/// Kills a process that bench_spawn made, and leaves its remains. 0, or -errno.
int bench_kill(int process);
/// Opens /dev/null where standard input, output or error is closed, so that no other descriptor takes its number and is
/// written to as if it were a terminal. Reading or writing it still fails. 0, or -errno.
int bench_occupy_standard_streams(void);
/// 0 when a descriptor is open for writing, otherwise -errno.
int bench_can_write(int fd);
/// Kills a process that bench_spawn made, and takes its remains away. Its wait status.
int bench_end(int process);
/// Pins the calling process. 0, or -errno.
int bench_pin(int cpu);
/// 0 when the calling process may use this CPU, otherwise -errno.
int bench_may_use(int cpu);
/// Takes back what bench_pin did first in this process.
void bench_unpin(void);
/// The lowest number of a CPU that the calling process may use, or -errno.
int bench_first_cpu(void);
/// On: a thread that becomes ready does not take the CPU from this one, nor this one from others (SCHED_BATCH), so that
/// two processes on one CPU each work until they have nothing to do. 0, or -errno.
int bench_take_turns(int on);
/// How many CPUs the calling process may use.
int bench_usable_cpus(void);
/// Has the kernel kill this process when the thread that made it ends. -1 when that has happened already.
int bench_die_with(int parent);
/// Raises the limit of open descriptors to the hard one: the limit then.
long bench_raise_descriptor_limit(void);
/// CPU time of a process in nanoseconds, user and system, or -errno; 0 is the calling process.
int64_t bench_cpu_time(int process);

/// A count of another process's system calls.
struct bench_trace {
  uint64_t calls;
  int is_tracing, stop;
};
/// Counts the system calls of a process with ptrace(2) until bench_stop_trace. The process is slowed down much. 0, or
/// -errno: -EPERM where tracing is not allowed, -ESRCH when the process ends.
int bench_trace(int process, struct bench_trace *state);
/// From other threads than the one in bench_trace: the calls so far, whether it has begun, and its end.
uint64_t bench_traced_calls(struct bench_trace *state);
int bench_is_tracing(struct bench_trace *state);
void bench_stop_trace(struct bench_trace *state);

#endif
