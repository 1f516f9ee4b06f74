#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// The processor usage of the calling thread.
struct ThreadTimes {
  /// The time for which the thread ran.
  let processor: Duration
  /// The time for which the thread ran or waited for a processor. A spinning thread is always in one of these states,
  /// even when other threads spin too. Equal to ``processor`` if the kernel does not provide schedstat files
  /// (proc_pid_schedstat(5)).
  let runnable: Duration

  init() {
    processor = .nanoseconds(nanoseconds(of: CLOCK_THREAD_CPUTIME_ID))
    runnable = Self.scheduled() ?? processor
  }

  private init(_ processor: Duration, _ runnable: Duration) {
    self.processor = processor
    self.runnable = runnable
  }

  /// Returns whether a thread with these times was spinning. On a busy host a spinning thread runs little, but waits
  /// for a processor most of the time.
  func isSpinning(for elapsed: Duration) -> Bool { runnable >= elapsed * 3 / 4 }

  static func - (now: Self, before: Self) -> Self {
    Self(now.processor - before.processor, now.runnable - before.runnable)
  }

  /// Returns the sum of the first two numbers of the thread's schedstat: the nanoseconds that the thread ran, and the
  /// nanoseconds that it waited for a processor. Returns nil if the file cannot be read.
  private static func scheduled() -> Duration? {
    guard let bytes = readFront(of: "/proc/thread-self/schedstat", upTo: 128) else { return nil }
    let numbers = bytes.split { $0 == 0x20 || $0 == 0x0a }.map {
      Int64(String(decoding: $0, as: UTF8.self))
    }
    guard numbers.count >= 2, let ran = numbers[0], let waited = numbers[1] else { return nil }
    return .nanoseconds(ran + waited)
  }
}
