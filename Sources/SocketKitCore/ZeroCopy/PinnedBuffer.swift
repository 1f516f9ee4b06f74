internal import Glibc

/// Memory that the kernel may read while it sends: whole pages of its own, which do not move and are no part of the
/// heap.
///
/// It is given away to send (``ZeroCopySender``) and comes back when the kernel has done with it, so no program can
/// write to it meanwhile. That it is a mapping of its own and not heap memory is what makes dropping it safe at any
/// time: unmapping takes the pages out of this process, while the kernel keeps those that it still sends, unchanged,
/// until they are sent. Freed heap memory would be handed out again, and the peer would receive what was written there
/// next.
///
/// Making one costs two system calls and page faults: keep those that come back, and fill them anew.
public struct PinnedBuffer: ~Copyable, @unchecked Sendable {
  let memory: UnsafeMutableRawPointer
  /// Bytes of room: what was asked for, rounded up to whole pages.
  public let capacity: Int
  /// Bytes that will be sent, from the front.
  public private(set) var count: Int

  /// Room for so many bytes, at least 1; all are zero, and ``count`` is 0.
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

  /// Gives the mapping to whoever unmaps it.
  consuming func release() -> UnsafeMutableRawPointer {
    let taken = memory
    discard self
    return taken
  }

  /// Lends the bytes that will be sent.
  public borrowing func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    let bytes = UnsafeBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: count)
    return try body(unsafe Span(_unsafeElements: bytes))
  }

  /// Lends all the room for writing, and takes the number of bytes to send, from the front.
  ///
  /// A number out of range traps.
  public mutating func fill<E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> Int) throws(E) {
    let room = UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: capacity)
    var span = unsafe MutableSpan(_unsafeElements: room)
    let used = try body(&span)
    precondition(used >= 0 && used <= capacity, "more bytes than the buffer has")
    count = used
  }

  /// Copies bytes in, in place of what was there. They must fit, or this traps.
  public mutating func copy(_ bytes: Span<UInt8>) {
    precondition(bytes.count <= capacity, "more bytes than the buffer has")
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress { memory.copyMemory(from: base, byteCount: source.count) }
    }
    count = bytes.count
  }
}
