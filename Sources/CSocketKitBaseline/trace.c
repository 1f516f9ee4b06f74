#define _GNU_SOURCE
#include "process.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static long trace(int request, int process, long data) { return ptrace(request, process, 0, data); }

// What stopped the process and is still to be delivered; 0 when that was the tracing itself.
static int signal_of(int status) {
  int is_tracing = WSTOPSIG(status) == (SIGTRAP | 0x80) || status >> 16 != 0;
  return is_tracing ? 0 : WSTOPSIG(status);
}

static void count_stop(struct bench_trace *state, int process, int status) {
  if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
    struct __ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, process, (void *)sizeof info, &info) > 0 &&
        info.op == PTRACE_SYSCALL_INFO_ENTRY)
      __atomic_add_fetch(&state->calls, 1, __ATOMIC_SEQ_CST);
  } else if (status >> 16 != 0) {
    // This is the stop that PTRACE_INTERRUPT requested at the beginning.
    __atomic_store_n(&state->is_tracing, 1, __ATOMIC_SEQ_CST);
  }
  // The process stops again when it enters or leaves its next system call.
  trace(PTRACE_SYSCALL, process, signal_of(status));
}

// Returns the status of a stopped process; 0 if the process runs; -ESRCH if it has ended. The parent must still reap an
// ended process.
static int next_stop(int process, int options) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)process, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL | options) < 0)
    return errno == EINTR ? 0 : -ESRCH;
  if (info.si_pid == 0) return 0;
  if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) return -ESRCH;
  int status;
  return waitpid(process, &status, __WALL) == process && WIFSTOPPED(status) ? status : -ESRCH;
}

int bench_trace(int process, struct bench_trace *state) {
  if (trace(PTRACE_SEIZE, process, PTRACE_O_TRACESYSGOOD) < 0 || trace(PTRACE_INTERRUPT, process, 0) < 0)
    return -errno;
  while (!__atomic_load_n(&state->stop, __ATOMIC_SEQ_CST)) {
    int status = next_stop(process, WNOHANG);
    if (status < 0) return status;
    if (status) count_stop(state, process, status);
    else sched_yield();
  }
  // Detaching requires that the process is stopped. The next stop of any kind is sufficient.
  if (trace(PTRACE_INTERRUPT, process, 0) < 0) return -errno;
  int status;
  do status = next_stop(process, 0);
  while (status == 0);
  if (status < 0) return status;
  return trace(PTRACE_DETACH, process, signal_of(status)) < 0 ? -errno : 0;
}

uint64_t bench_traced_calls(struct bench_trace *state) { return __atomic_load_n(&state->calls, __ATOMIC_SEQ_CST); }
int bench_is_tracing(struct bench_trace *state) { return __atomic_load_n(&state->is_tracing, __ATOMIC_SEQ_CST); }
void bench_stop_trace(struct bench_trace *state) { __atomic_store_n(&state->stop, 1, __ATOMIC_SEQ_CST); }
