#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// What the calling thread has had of the processor.
struct ThreadTimes {
  /// How long it ran.
  let processor: Duration
  /// How long it ran or waited for a processor: all of the time for one that spins, also beside others that do. The
  /// same as ``processor`` where the kernel does not tell (proc_pid_schedstat(5)).
  let runnable: Duration

  init() {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    processor = .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    runnable = Self.scheduled() ?? processor
  }

  private init(_ processor: Duration, _ runnable: Duration) {
    self.processor = processor
    self.runnable = runnable
  }

  /// Whether a thread with these times spun: on a busy host it then waits for a processor most of the time, and runs
  /// little.
  func isSpinning(for elapsed: Duration) -> Bool { runnable >= elapsed * 3 / 4 }

  static func - (now: Self, before: Self) -> Self {
    Self(now.processor - before.processor, now.runnable - before.runnable)
  }

  /// The first two numbers of its schedstat: nanoseconds on a processor, and nanoseconds waiting for one.
  private static func scheduled() -> Duration? {
    let file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
    if file < 0 { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = read(file, &bytes, bytes.count)
    if count <= 0 { return nil }
    let numbers = bytes.prefix(count).split { $0 == 0x20 || $0 == 0x0a }.map {
      Int64(String(decoding: $0, as: UTF8.self))
    }
    guard numbers.count >= 2, let ran = numbers[0], let waited = numbers[1] else { return nil }
    return .nanoseconds(ran + waited)
  }
}
