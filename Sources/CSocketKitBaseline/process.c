#define _GNU_SOURCE
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Lower numbers are reserved for the standard streams and for the server's memory file, even if those numbers are free.
#define FIRST_DESCRIPTOR 10

static int move_up(int fd) {
  if (fd < 0 || fd >= FIRST_DESCRIPTOR) return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR), error = errno;
  close(fd);
  errno = error;
  return moved;
}

int bench_memory_file(size_t size) {
  int fd = move_up(memfd_create("socketkit-bench", MFD_CLOEXEC));
  if (fd < 0) return -errno;
  if (ftruncate(fd, (off_t)size) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

void *bench_map(int memory_file, size_t size) {
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
  return page == MAP_FAILED ? NULL : page;
}

void bench_unmap(void *page, size_t size) { munmap(page, size); }

int bench_spawn(const char *program, char *const arguments[], int memory_file, int *output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  for (int i = 0; i < 2; i++) ends[i] = move_up(ends[i]);
  if (ends[0] < 0 || ends[1] < 0) {
    int error = errno;
    for (int i = 0; i < 2; i++)
      if (ends[i] >= 0) close(ends[i]);
    return -error;
  }
  posix_spawn_file_actions_t actions;
  pid_t process;
  posix_spawn_file_actions_init(&actions);
  // The order matters. The copies do not have CLOEXEC; all other descriptors are closed in the new program.
  int error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, memory_file, 3);
  if (!error) error = posix_spawn(&process, program, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return -error;
  }
  *output = ends[0];
  return process;
}

int bench_end(int process) {
  int status = 0;
  kill(process, SIGKILL);
  // Wait until the process has ended. A traced process may stop before it ends.
  for (;;) {
    pid_t ended = waitpid(process, &status, 0);
    if (ended < 0 && errno != EINTR) break;
    if (ended == process && !WIFSTOPPED(status)) break;
  }
  return status;
}

int bench_ended(int process, int *status) {
  siginfo_t info = {0};
  // The process is not reaped here, because bench_end reaps it.
  if (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return -errno;
  // A traced process may have stopped without having ended.
  if (info.si_pid == 0 || info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED) return 0;
  *status = info.si_status;
  return info.si_code == CLD_EXITED ? 1 : 2;
}

int bench_kill(int process) { return kill(process, SIGKILL) < 0 ? -errno : 0; }

int bench_can_write(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  return (flags & O_ACCMODE) == O_RDONLY ? -EBADF : 0;
}

int bench_occupy_standard_streams(void) {
  for (int fd = 0; fd < 3; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The file is opened in the wrong direction, so that reading or writing fails like on a closed descriptor.
    int opened = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    if (opened < 0) return -errno;
  }
  return 0;
}

// The CPUs that this process may use when it is not pinned.
static cpu_set_t all_cpus;
static int knows_all_cpus;

int bench_pin(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
  cpu_set_t set;
  if (!knows_all_cpus && sched_getaffinity(0, sizeof all_cpus, &all_cpus) == 0) knows_all_cpus = 1;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

int bench_may_use(int cpu) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
  return cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set) ? 0 : -EINVAL;
}

void bench_unpin(void) {
  if (knows_all_cpus) sched_setaffinity(0, sizeof all_cpus, &all_cpus);
}

int bench_first_cpu(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &set)) return cpu;
  return -EINVAL;
}

int bench_take_turns(int on) {
  struct sched_param none = {0};
  return sched_setscheduler(0, on ? SCHED_BATCH : SCHED_OTHER, &none) < 0 ? -errno : 0;
}

int bench_usable_cpus(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) < 0 ? 0 : CPU_COUNT(&set);
}

int bench_die_with(int parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return -1;
  return getppid() == parent ? 0 : -1;
}

long bench_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  // RLIM_INFINITY is the largest number, and would be negative as a long.
  return limit.rlim_cur > INT_MAX ? INT_MAX : (long)limit.rlim_cur;
}

int64_t bench_cpu_time(int process) {
  clockid_t clock;
  struct timespec time;
  int error = clock_getcpuclockid(process, &clock);
  if (error != 0) return -error;
  if (clock_gettime(clock, &time) < 0) return -errno;
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
