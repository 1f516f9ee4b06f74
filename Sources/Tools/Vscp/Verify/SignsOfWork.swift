internal import Glibc
internal import SocketKitCore

/// Schedules the "wait" frames, often enough for a peer with an idle timeout of half a second.
struct SignsOfWork {
  static let interval: Duration = .milliseconds(100)
  private var next = Deadline.after(interval)

  mutating func isDue() -> Bool {
    if !next.hasPassed { return false }
    next = .after(Self.interval)
    return true
  }
}

/// Runs a slow system call on a separate thread.
@safe
final class SlowCall: @unchecked Sendable {
  private let call: @Sendable () -> Int32
  // The initializer initializes both objects, and `deinit` destroys them. No thread uses them while `deinit` runs,
  // because each thread that uses this object holds a reference to it. The functions access attributes and times only
  // during the calls.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var failure: Int32?

  private init(_ call: @escaping @Sendable () -> Int32) {
    self.call = call
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs a call that returns 0, or -1 with errno. Calls `signs` periodically until the call returns.
  /// - Returns: 0 or an errno.
  static func run(_ call: @escaping @Sendable () -> Int32, signs: () -> Void) -> Int32 {
    let job = SlowCall(call)
    // The new thread needs its own reference: it may still hold the mutex after the waiting thread has read the result.
    // The thread takes over this reference. If no thread can be created, this function releases the reference.
    let reference = unsafe Unmanaged.passRetained(job)
    var thread = pthread_t()
    let noThread = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<SlowCall>.fromOpaque(argument).takeRetainedValue().work() }
        return nil
      }, reference.toOpaque())
    if noThread != 0 {
      unsafe reference.release()
      return call() == 0 ? 0 : errno
    }
    defer { pthread_join(thread, nil) }
    while true {
      if let failure = job.wait() { return failure }
      signs()
    }
  }

  private func work() {
    let result = call() == 0 ? 0 : errno
    unsafe pthread_mutex_lock(mutex)
    failure = result
    unsafe pthread_cond_signal(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Waits for the call to end. Returns nil if the next call of `signs` is due first.
  private func wait() -> Int32? {
    var moment = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
    moment.tv_nsec += Int(SignsOfWork.interval.components.attoseconds / 1_000_000_000)
    if moment.tv_nsec >= 1_000_000_000 {
      (moment.tv_sec, moment.tv_nsec) = (moment.tv_sec + 1, moment.tv_nsec - 1_000_000_000)
    }
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while failure == nil {
      if unsafe pthread_cond_timedwait(condition, mutex, &moment) != 0 { break }
    }
    return failure
  }
}
