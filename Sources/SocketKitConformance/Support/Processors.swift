#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// The processors that a thread may run on, and how to keep it on one.
///
/// The scheduler moves a thread that is woken to the processor of the one that woke it. Two threads that work on each
/// other then never run at the same time on a busy host, and a rule that needs that sees nothing.
enum Processors {
  /// A mask of 1024 bits, as in glibc's cpu_set_t.
  private typealias Call = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32

  // <sched.h> hides both behind _GNU_SOURCE, which Swift does not set.
  private static let get = find("sched_getaffinity")
  private static let set = find("sched_setaffinity")

  private static func find(_ name: String) -> Call? {
    dlsym(nil, name).map { unsafeBitCast($0, to: Call.self) }
  }

  /// Those of the calling thread, by number; none when the C library does not tell.
  static var usable: [Int] {
    var mask = [UInt64](repeating: 0, count: 16)
    let size = mask.count * 8
    guard let get, mask.withUnsafeMutableBytes({ memory in memory.baseAddress.map { get(0, size, $0) } }) == 0 else {
      return []
    }
    return (0..<1024).filter { mask[$0 / 64] & 1 << UInt64($0 % 64) != 0 }
  }

  /// Keeps the calling thread on one processor from now on. Does nothing where the kernel refuses.
  static func keepThread(on number: Int) {
    var mask = [UInt64](repeating: 0, count: 16)
    let size = mask.count * 8
    mask[number / 64] = 1 << UInt64(number % 64)
    _ = mask.withUnsafeMutableBytes { memory in memory.baseAddress.map { set?(0, size, $0) } }
  }
}
