// Outside the guest kernel, no test can make a vsock socket, nor any program that a test starts: socket(2) says EACCES.
//
// A system call filter (seccomp(2)) does that, installed before main, while there is one thread, and for good; children
// inherit it. Two ways lead round it, and nothing here takes them: io_uring's own sockets, and descriptors that another
// process passes.
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "name this architecture for the filter"
#endif

// As GuestKernel.isRunning judges, which a test compares.
static int is_guest(void) {
  char line[4096];
  int file = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t count = file < 0 ? 0 : read(file, line, sizeof line - 1);
  if (file >= 0) close(file);
  if (count <= 0 || !getenv("SOCKETKIT_GUEST")) return 0;
  line[count] = 0;
  char *rest = NULL;
  for (char *word = strtok_r(line, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
    if (!strcmp(word, "socketkit.guest")) return 1;
  return 0;
}

__attribute__((constructor)) static void refuse_vsock(void) {
  if (is_guest()) return;
  struct sock_filter filter[] = {
      // Another processor's calls have other numbers (32-bit programs): they have none at all. So has x32's table.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 0, 7),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socketpair, 0, 2),
      // The lower half, on these little-endian processors: the kernel looks at no more of the family.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  unsigned flags = SECCOMP_FILTER_FLAG_TSYNC;
  if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program)) return;
  // Without the privilege it takes a promise: programs with the set-user-ID bit change no user from here on.
  if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program))
    return;
  // The test of it fails then; the others are kept from vsock by what they say of themselves.
  perror("vsock sockets cannot be refused");
}
