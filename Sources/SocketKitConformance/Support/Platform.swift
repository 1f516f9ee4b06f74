// This file wraps the C library's threads, locks, semaphores, signals and clocks in Swift.
internal import SocketKitCore
internal import Synchronization

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Sleeps for at least the given duration, even if signals arrive.
func pause(_ duration: Duration) {
  let end = Deadline.after(duration)
  while case let left = end.remainingNanoseconds, left > 0 {
    var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
    // The kernel reads the duration only during the call.
    unsafe nanosleep(&time, nil)
  }
}

/// Busy-waits until the given time, to avoid the delay of a wake-up.
func spin(until moment: Int64) {
  while monotonicNanoseconds() < moment {}
}

/// Returns the time of CLOCK_MONOTONIC.
func monotonicNanoseconds() -> Int64 { nanoseconds(of: CLOCK_MONOTONIC) }

/// Returns the time of a clock.
func nanoseconds(of clock: clockid_t) -> Int64 {
  var time = timespec()
  // The kernel writes the time only during the call.
  unsafe clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

// `Gate`, `Turn` and `Semaphore` allocate their C objects in `init` and free them in `deinit`. The address of a C
// object does not change while a thread uses the object, because the thread holds a reference to the instance.

/// A gate that one thread opens and others wait for.
@safe final class Gate: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isOpen = false

  init() {
    unsafe pthread_mutex_init(mutex, nil)
    // The attributes are used only during these calls.
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

  func open() {
    unsafe pthread_mutex_lock(mutex)
    isOpen = true
    unsafe pthread_cond_broadcast(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Waits for the gate to open; returns false if the duration passes first.
  func wait(within duration: Duration) -> Bool {
    // Limit the duration to 100 years, so that the sum does not overflow.
    let (seconds, attoseconds) = min(duration, .seconds(3_155_760_000)).components
    let end = monotonicNanoseconds() + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while !isOpen {
      if unsafe pthread_cond_timedwait(condition, mutex, &time) != 0 { return isOpen }
    }
    return true
  }
}

/// A lock that runs one body at a time in the whole process.
@safe final class Turn: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() { unsafe pthread_mutex_init(mutex, nil) }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  func take<R>(_ body: () -> R) -> R {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return body()
  }
}

/// A counting semaphore.
@safe final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { unsafe sem_init(semaphore, 0, 0) }

  deinit {
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  func signal() { unsafe sem_post(semaphore) }

  func wait() {
    // sem_wait(3) returns early when a signal arrives.
    while unsafe sem_wait(semaphore) != 0 {}
  }
}

/// Runs `body` on a new detached thread.
func startThread(_ body: @escaping @Sendable () -> Void) {
  final class Start: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  // The new thread receives the pointer and takes over its reference.
  let context = unsafe Unmanaged.passRetained(Start(body)).toOpaque()
  var thread = pthread_t()
  let result = unsafe pthread_create(
    &thread, nil,
    { argument in
      // Threads inherit the signal mask of their creator, and thread pools block all signals. Both calls use the mask
      // only until they return.
      var none = sigset_t()
      unsafe sigemptyset(&none)
      unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
      if let argument = unsafe argument { unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body() }
      return nil
    }, context)
  precondition(result == 0, "pthread_create failed with error \(result)")
  pthread_detach(thread)
}

/// A thread that can receive signals; valid while the thread runs.
struct ThreadHandle: @unchecked Sendable {
  private let thread: pthread_t
  static var current: ThreadHandle { ThreadHandle(thread: pthread_self()) }

  func interrupt() { pthread_kill(thread, SIGUSR1) }
}

private let interruptions = Atomic<Int>(0)
private let brokenPipes = Atomic<Int>(0)

/// Counts signals of one kind while a body runs. The signal handler is installed without SA_RESTART.
enum SignalWatch {
  /// Runs `body`. Meanwhile, another thread sends the given number of signals to the calling thread, at least 4 ms
  /// apart, and then calls `action`. Returns the number of signals that were handled.
  @discardableResult
  static func interrupting(
    times: Int, then action: @escaping @Sendable () throws -> Void = {}, _ body: () throws -> Void
  ) throws -> Int {
    try counting(SIGUSR1, { _ in interruptions.add(1, ordering: .relaxed) }) {
      let before = interruptions.load(ordering: .relaxed)
      let thread = ThreadHandle.current
      let helper = RuleThread {
        for sent in 1...times {
          pause(.milliseconds(4))
          thread.interrupt()
          // The kernel merges two pending signals into one. On a busy host, wait until this signal is handled before
          // sending the next signal.
          let deadline = Deadline.after(Times.limit)
          while interruptions.load(ordering: .relaxed) < before + sent, !deadline.hasPassed { pause(.milliseconds(1)) }
        }
        pause(.milliseconds(4))
        try action()
      }
      let result = Result { try body() }
      // Wait even if the body failed: the helper must not send a signal to a thread that has ended.
      _ = helper.result(within: .seconds(30))
      try result.get()
      try helper.join()
      return interruptions.load(ordering: .relaxed) - before
    }
  }

  /// Runs `body`, which waits for the time that is its argument, repeatedly until all signals arrive during one run.
  /// Each repetition doubles the time.
  static func interrupting(times: Int, during time: Duration, _ body: (Duration) throws -> Void) throws {
    try repeatUntilConclusive(from: time) { time in
      var arrived = 0
      let handled = try interrupting(times: times) {
        let before = interruptions.load(ordering: .relaxed)
        try body(time)
        arrived = interruptions.load(ordering: .relaxed) - before
      }
      try requireEqual(handled, times, "the number of handled signals")
      return arrived == times
    }
  }

  static func countingBrokenPipes<R>(_ body: (() -> Int) throws -> R) rethrows -> R {
    try counting(SIGPIPE, { _ in brokenPipes.add(1, ordering: .relaxed) }) {
      let before = brokenPipes.load(ordering: .relaxed)
      return try body { brokenPipes.load(ordering: .relaxed) - before }
    }
  }

  private static func counting<R>(
    _ signal: Int32, _ handler: @convention(c) (Int32) -> Void, _ body: () throws -> R
  ) rethrows -> R {
    var action = sigaction()
    var old = sigaction()
    // Without SA_SIGINFO, the handler is this member of the union.
    #if canImport(Musl)
      unsafe action.__sa_handler.sa_handler = handler
    #else
      unsafe action.__sigaction_handler.sa_handler = handler
    #endif
    // The kernel reads and writes the actions only during each call.
    unsafe sigaction(signal, &action, &old)
    defer { unsafe sigaction(signal, &old, nil) }
    return try body()
  }
}
