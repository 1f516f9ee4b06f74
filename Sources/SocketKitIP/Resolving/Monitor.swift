internal import Glibc

/// A mutex of libc and a condition variable. The comment of `Guarded` in SocketKitCore states why this type does not
/// use the standard library's `Mutex`. The memory is never deallocated, so make a monitor only for a value that exists
/// as long as the process.
@safe
struct Monitor: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe changed.initialize(to: pthread_cond_t())
    unsafe pthread_cond_init(changed, nil)
  }

  // The initializer has initialized both objects.
  func lock() { unsafe pthread_mutex_lock(mutex) }
  func unlock() { unsafe pthread_mutex_unlock(mutex) }
  /// Unlocks the mutex, waits for a broadcast, and locks the mutex. May return without a broadcast.
  func wait() { unsafe pthread_cond_wait(changed, mutex) }
  func broadcast() { unsafe pthread_cond_broadcast(changed) }
}
