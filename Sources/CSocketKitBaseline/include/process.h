// Process functions that a benchmark needs and that Swift's Glibc module does not provide.
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/// Creates a memory file of `size` bytes. Returns its CLOEXEC descriptor, or -errno.
int bench_memory_file(size_t size);
/// Maps the memory file with MAP_SHARED, so that both processes can use the page. Returns null if the mapping fails.
void *bench_map(int memory_file, size_t size);
void bench_unmap(void *page, size_t size);
/// Starts a program. Its standard input is /dev/null, its standard output is a pipe, and its descriptor 3 is the memory
/// file. The function stores the reading end of the pipe in `output`. Returns the process number, or -errno.
int bench_spawn(const char *program, char *const arguments[], int memory_file, int *output);
/// Checks whether a process that bench_spawn started has ended. Returns 0 if the process still runs; 1 if it exited,
/// and stores its exit status in `status`; 2 if a signal ended it, and stores the signal in `status`; or -errno. The
/// caller must still call bench_end.
int bench_ended(int process, int *status);
/// Kills a process that bench_spawn started, but does not reap it. Returns 0, or -errno.
int bench_kill(int process);
/// Opens /dev/null for each of standard input, output and error that is closed. Otherwise another file could get the
/// descriptor number, and the program would write its messages to that file. Reading standard input or writing standard
/// output still fails. Returns 0, or -errno.
int bench_occupy_standard_streams(void);
/// Returns 0 if a descriptor is open for writing, otherwise -errno.
int bench_can_write(int fd);
/// Kills and reaps a process that bench_spawn started. Returns its wait status.
int bench_end(int process);
/// Pins the calling process to a CPU. Returns 0, or -errno.
int bench_pin(int cpu);
/// Returns 0 if the calling process may use this CPU, otherwise -errno.
int bench_may_use(int cpu);
/// Restores the set of CPUs that the process could use before the first call of bench_pin.
void bench_unpin(void);
/// Returns the lowest number of a CPU that the calling process may use, or -errno.
int bench_first_cpu(void);
/// If `on` is not 0, selects SCHED_BATCH for this process. A thread that becomes ready then does not preempt this
/// process, and this process does not preempt others. Each of two such processes on one CPU therefore runs until it
/// must wait. If `on` is 0, selects SCHED_OTHER. Returns 0, or -errno.
int bench_take_turns(int on);
/// Returns the number of CPUs that the calling process may use.
int bench_usable_cpus(void);
/// Requests that the kernel kill this process when the thread that created it ends. Returns 0, or -1 if the parent has
/// already ended or the call fails.
int bench_die_with(int parent);
/// Raises the soft limit of open descriptors to the hard limit. Returns the new limit.
long bench_raise_descriptor_limit(void);
/// Returns the user and system CPU time of a process in nanoseconds, or -errno. The process number 0 means the calling
/// process.
int64_t bench_cpu_time(int process);

/// The state of counting the system calls of another process.
struct bench_trace {
  uint64_t calls;
  int is_tracing, stop;
};
/// Counts the system calls of a process with ptrace(2) until another thread calls bench_stop_trace. Counting slows the
/// process down considerably. Returns 0; -EPERM if tracing is not permitted; -ESRCH if the process ends; or another
/// -errno.
int bench_trace(int process, struct bench_trace *state);
/// Functions for threads other than the thread in bench_trace: the number of calls so far, whether tracing has started,
/// and the end of tracing.
uint64_t bench_traced_calls(struct bench_trace *state);
int bench_is_tracing(struct bench_trace *state);
void bench_stop_trace(struct bench_trace *state);

#endif
