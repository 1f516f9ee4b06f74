internal import Glibc

/// A value that several threads use, one at a time. The lock is libc's: ThreadSanitizer does not know the standard
/// library's, and reports races that are none.
///
/// The mutex and the value are used only between locking and unlocking. Both live as long as the object, and whoever
/// holds the lock holds the object.
@safe public final class Locked<Value>: @unchecked Sendable {
  private var value: Value
  // Memory of its own, because a mutex must not move.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  public init(_ value: Value) {
    self.value = value
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe pthread_mutex_init(mutex, nil)
  }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  public func withLock<R>(_ body: (inout Value) throws -> R) rethrows -> R {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
