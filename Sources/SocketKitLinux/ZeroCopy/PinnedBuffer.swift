internal import Glibc
public import SocketKitCore

/// A buffer whose bytes the kernel can send without a copy. The buffer is a memory mapping of whole pages, which do not
/// move and are not part of the heap.
///
/// A program passes the buffer to a ``ZeroCopySender``, which owns the buffer until the kernel no longer uses it.
/// During this time the program cannot write to the buffer. A buffer can be destroyed safely at any time, because it is
/// a separate mapping: unmapping removes the pages from this process, and the kernel keeps the pages unchanged until it
/// has sent them. Heap memory would not be safe, because the heap could allocate freed memory again, and the peer would
/// then receive the new contents.
///
/// Creating and destroying a buffer costs two system calls and page faults, so reuse the buffers that the sender
/// returns.
@safe
public struct PinnedBuffer: ~Copyable, @unchecked Sendable {
  // The initializer maps these pages (`capacity` bytes), and `deinit` unmaps them. No other value refers to them. The
  // methods access them through spans, or check the number of bytes before the access.
  private let memory: UnsafeMutableBufferPointer<UInt8>
  /// The size of the buffer in bytes: the requested capacity, rounded up to whole pages.
  public let capacity: Int
  /// The number of bytes to send, from the beginning of the buffer.
  public private(set) var count: Int

  /// Creates a buffer of at least `capacity` bytes. `capacity` must be at least 1. All bytes are zero, and ``count`` is
  /// 0.
  /// - Throws: `.outOfMemory`, `.invalidArgument`.
  public init(capacity: Int) throws(SocketError) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    guard capacity > 0, capacity <= Int.max - page else { throw SocketError(code: .invalidArgument, .open) }
    let rounded = (capacity + page - 1) / page * page
    let result = unsafe mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let result = unsafe result, unsafe result != MAP_FAILED else {
      throw SocketError(code: .outOfMemory, .open, errno: errno)
    }
    let bytes = unsafe result.bindMemory(to: UInt8.self, capacity: rounded)
    unsafe memory = UnsafeMutableBufferPointer(start: bytes, count: rounded)
    self.capacity = rounded
    count = 0
  }

  deinit { unsafe munmap(memory.baseAddress, capacity) }

  /// Calls the body with the ``count`` bytes to send.
  public borrowing func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try body(unsafe memory.span.extracting(first: count))
  }

  /// Calls the body with the whole buffer, whatever ``count`` is.
  borrowing func withPages<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try body(unsafe memory.span)
  }

  /// Calls the body with the whole buffer for writing. The body returns the number of bytes to send, counted from the
  /// beginning of the buffer.
  ///
  /// Traps if the number is negative or greater than ``capacity``.
  public mutating func fill<E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> Int) throws(E) {
    var span = unsafe memory.mutableSpan
    let used = try body(&span)
    precondition(used >= 0 && used <= capacity, "more bytes than the capacity of the buffer")
    count = used
  }

  /// Replaces the contents with a copy of the bytes. Traps if the number of bytes is greater than ``capacity``.
  public mutating func copy(_ bytes: Span<UInt8>) {
    precondition(bytes.count <= capacity, "more bytes than the capacity of the buffer")
    _ = unsafe bytes.withUnsafeBufferPointer { unsafe memory.update(fromContentsOf: $0) }
    count = bytes.count
  }
}
