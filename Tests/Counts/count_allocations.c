// Preloaded into a process: writes how often it asked for memory to the file that COUNT_ALLOCATIONS_TO names, at its
// end.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_long count;

// dlsym itself asks for memory: it gets some from here, which free must know.
static char early[65536];
static atomic_size_t early_used;
static void *early_memory(size_t size) {
  size_t place = atomic_fetch_add(&early_used, (size + 15) & ~(size_t)15);
  return place + size <= sizeof early ? early + place : NULL;
}

#define REAL(name) \
  static __typeof__(name) *real; \
  static _Thread_local int looking; \
  if (!real && !looking) { \
    looking = 1; \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name); \
    looking = 0; \
  }

void *malloc(size_t size) {
  REAL(malloc)
  atomic_fetch_add(&count, 1);
  return real ? real(size) : early_memory(size);
}
void *calloc(size_t number, size_t size) {
  REAL(calloc)
  atomic_fetch_add(&count, 1);
  return real ? real(number, size) : early_memory(number * size);
}
void *realloc(void *old, size_t size) {
  REAL(realloc)
  atomic_fetch_add(&count, 1);
  return real(old, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  REAL(posix_memalign)
  atomic_fetch_add(&count, 1);
  return real(result, alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  REAL(aligned_alloc)
  atomic_fetch_add(&count, 1);
  return real(alignment, size);
}
void free(void *memory) {
  if ((char *)memory >= early && (char *)memory < early + sizeof early) return;
  REAL(free)
  real(memory);
}

__attribute__((destructor)) static void report(void) {
  long total = atomic_load(&count);
  const char *path = getenv("COUNT_ALLOCATIONS_TO");
  int file = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
  if (file < 0) return;
  char text[32];
  int length = snprintf(text, sizeof text, "%ld\n", total);
  if (write(file, text, (size_t)length) != length) _exit(1);
  close(file);
}
