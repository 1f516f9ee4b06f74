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

/// Runs a system call that may take long on its own thread.
final class SlowCall: @unchecked Sendable {
  private let call: @Sendable () -> Int32
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var failure: Int32?

  private init(_ call: @escaping @Sendable () -> Int32) {
    self.call = call
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Runs a call that returns 0, or -1 with errno. Calls `signs` periodically until the call returns.
  /// - Returns: 0 or an errno.
  static func run(_ call: @escaping @Sendable () -> Int32, signs: () -> Void) -> Int32 {
    let job = SlowCall(call)
    // The new thread needs its own reference: it may still hold the mutex after the waiting thread has read the result.
    let reference = Unmanaged.passRetained(job)
    var thread = pthread_t()
    let noThread = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<SlowCall>.fromOpaque(argument).takeRetainedValue().work() }
        return nil
      }, reference.toOpaque())
    if noThread != 0 {
      reference.release()
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
    pthread_mutex_lock(mutex)
    failure = result
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits for the call to end. Returns nil if the next call of `signs` is due first.
  private func wait() -> Int32? {
    var moment = timespec()
    clock_gettime(CLOCK_MONOTONIC, &moment)
    moment.tv_nsec += Int(SignsOfWork.interval.components.attoseconds / 1_000_000_000)
    if moment.tv_nsec >= 1_000_000_000 {
      (moment.tv_sec, moment.tv_nsec) = (moment.tv_sec + 1, moment.tv_nsec - 1_000_000_000)
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while failure == nil {
      if pthread_cond_timedwait(condition, mutex, &moment) != 0 { break }
    }
    return failure
  }
}
