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
public struct PinnedBuffer: ~Copyable, @unchecked Sendable {
  let memory: UnsafeMutableRawPointer
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
    let result = mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let result, result != MAP_FAILED else { throw SocketError(code: .outOfMemory, .open, errno: errno) }
    memory = result
    self.capacity = rounded
    count = 0
  }

  init(_ memory: UnsafeMutableRawPointer, capacity: Int, count: Int) {
    self.memory = memory
    self.capacity = capacity
    self.count = count
  }

  deinit { munmap(memory, capacity) }

  /// Returns the mapping, which the caller must unmap.
  consuming func release() -> UnsafeMutableRawPointer {
    let taken = memory
    discard self
    return taken
  }

  /// Calls the body with the ``count`` bytes to send.
  public borrowing func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    let bytes = UnsafeBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: count)
    return try body(unsafe Span(_unsafeElements: bytes))
  }

  /// Calls the body with the whole buffer for writing. The body returns the number of bytes to send, counted from the
  /// beginning of the buffer.
  ///
  /// Traps if the number is negative or greater than ``capacity``.
  public mutating func fill<E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> Int) throws(E) {
    let room = UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: capacity)
    var span = unsafe MutableSpan(_unsafeElements: room)
    let used = try body(&span)
    precondition(used >= 0 && used <= capacity, "more bytes than the capacity of the buffer")
    count = used
  }

  /// Replaces the contents with a copy of the bytes. Traps if the number of bytes is greater than ``capacity``.
  public mutating func copy(_ bytes: Span<UInt8>) {
    precondition(bytes.count <= capacity, "more bytes than the capacity of the buffer")
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress { memory.copyMemory(from: base, byteCount: source.count) }
    }
    count = bytes.count
  }
}
