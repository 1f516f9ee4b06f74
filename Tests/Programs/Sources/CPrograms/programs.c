#define _GNU_SOURCE
#include "programs.h"

#include <malloc.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

long programs_heap_in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return (long)(info.uordblks + info.hblkhd);
}

int programs_event(uint32_t value) { return eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK); }

long programs_event_take(int descriptor) {
  uint64_t value;
  return read(descriptor, &value, 8) == 8 ? (long)value : -1;
}

int programs_thread(void) { return (int)syscall(SYS_gettid); }

int programs_own_network(void) {
  if (unshare(CLONE_NEWNET) != 0) return -1;
  int number = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (number < 0) return -1;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  int result = ioctl(number, SIOCSIFFLAGS, &request);
  close(number);
  return result;
}

int programs_readable(int descriptor, int milliseconds) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(descriptor, &set);
  struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
  return select(descriptor + 1, &set, 0, 0, &time);
}
