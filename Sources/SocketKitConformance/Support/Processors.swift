#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Lists the processors that a thread may use, and pins a thread to one of them.
///
/// When a thread wakes another thread, the scheduler moves the woken thread to the processor of the first thread. On a
/// busy host, two threads that wake each other then never run simultaneously. A rule whose threads must run
/// simultaneously then tests nothing.
enum Processors {
  /// The signature of sched_getaffinity(2) and sched_setaffinity(2). The pointer refers to a mask of 1024 bits, as in
  /// glibc's cpu_set_t.
  private typealias Call = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32

  // <sched.h> declares both functions only with _GNU_SOURCE, which Swift does not define.
  private static let get = unsafe find("sched_getaffinity")
  private static let set = unsafe find("sched_setaffinity")

  @unsafe private static func find(_ name: String) -> Call? {
    // Both functions have the signature of ``Call``, and the C library is never unloaded.
    unsafe dlsym(nil, name).map { unsafe unsafeBitCast($0, to: Call.self) }
  }

  /// The processor numbers available to the calling thread; empty if the C library does not provide them.
  static var usable: [Int] {
    var mask = [UInt64](repeating: 0, count: 16)
    let size = mask.count * 8
    // The kernel writes at most `size` bytes, where `size` is the size of the array, and does so only during the call.
    guard let get = unsafe get, unsafe get(0, size, &mask) == 0 else { return [] }
    return (0..<1024).filter { mask[$0 / 64] & 1 << UInt64($0 % 64) != 0 }
  }

  /// Pins the calling thread to one processor. Does nothing if the kernel rejects this.
  static func keepThread(on number: Int) {
    var mask = [UInt64](repeating: 0, count: 16)
    let size = mask.count * 8
    mask[number / 64] = 1 << UInt64(number % 64)
    // The kernel reads the array only during the call.
    _ = unsafe set?(0, size, &mask)
  }
}
