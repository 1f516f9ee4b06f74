internal import CSocketKitBaseline

/// The counters of a server, in a page of memory that the server shares with the process that started it. Copies of
/// this value refer to the same page.
@safe
struct SharedCounters {
  // The page stays mapped until `unmap()` is called.
  private let page: UnsafeMutablePointer<bench_counters>

  static var byteCount: Int { MemoryLayout<bench_counters>.size }

  /// Maps a memory file of ``byteCount`` bytes; returns nil if the mapping fails.
  init?(memoryFile: Int32) {
    guard let start = unsafe bench_map(memoryFile, Self.byteCount) else { return nil }
    unsafe page = start.bindMemory(to: bench_counters.self, capacity: 1)
  }

  /// Unmaps the page. The caller must not use this value or a copy of it afterwards.
  @unsafe func unmap() { unsafe bench_unmap(page, Self.byteCount) }

  @inline(__always)
  var values: bench_counters {
    _read { yield unsafe page.pointee }
    nonmutating _modify { yield unsafe &page.pointee }
  }

  /// Calls the body with the page, so that the body can pass the page to a C function.
  func withPointer<R>(_ body: (UnsafeMutablePointer<bench_counters>) throws -> R) rethrows -> R {
    try unsafe body(page)
  }
}
