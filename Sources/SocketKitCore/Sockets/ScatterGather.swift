public import CSocketKit

/// One buffer of a scattered read or gathered write: an address and a length in bytes, in the layout of the kernel's
/// iovec.
@frozen @safe
public struct IOSegment {
  // A segment is only an address and a length. The functions that access the memory are `@unsafe`.
  /// The address of the first byte, or nil for an empty buffer.
  public var baseAddress: UnsafeMutableRawPointer?
  /// The length in bytes.
  public var count: Int

  /// Makes a segment for scattered reads or gathered writes. The memory must stay valid while the segment is used.
  @unsafe @inlinable
  public init(_ memory: UnsafeMutableRawBufferPointer) {
    unsafe baseAddress = memory.baseAddress
    count = memory.count
  }

  /// Makes a segment for gathered writes. In such a write, the kernel does not change the bytes. Do not use the segment
  /// for a read.
  @unsafe @inlinable
  public init(_ memory: UnsafeRawBufferPointer) {
    unsafe baseAddress = UnsafeMutableRawPointer(mutating: memory.baseAddress)
    count = memory.count
  }
}

// The caller of these four functions guarantees that the segments and their memory exist during the call.

extension StreamSocket where Self: ~Copyable {
  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    guard let segment = unsafe segments.firstNonempty else { return .zero }
    var bytes = unsafe MutableSpan<UInt8>(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: segment.baseAddress, count: segment.count))
    return attemptReceive(into: &bytes)
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    guard let segment = unsafe segments.firstNonempty else { return .zero }
    return attemptSend(
      unsafe Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(start: segment.baseAddress, count: segment.count)))
  }
}

extension StreamSocket where Self: KernelSocket & ~Copyable {
  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    var message = unsafe csk_msghdr(gathering: segments)
    var result = unsafe csk_recvmsg(descriptor.value, &message, 0)
    while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_recvmsg(descriptor.value, &message, 0) }
    return Self.named(IOResult(raw: result), on: descriptor)
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    var message = unsafe csk_msghdr(gathering: segments)
    var result = unsafe csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL)
    while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL) }
    return Self.named(IOResult(raw: result), on: descriptor)
  }
}

extension UnsafeBufferPointer<IOSegment> {
  /// The segments as an array of struct iovec, which has the same layout.
  @inlinable @inline(__always)
  var vectors: UnsafeMutablePointer<csk_iovec>? {
    unsafe UnsafeMutableRawPointer(mutating: baseAddress)?.assumingMemoryBound(to: csk_iovec.self)
  }

  /// The first segment that is not empty, or nil if all segments are empty.
  @inlinable @inline(__always)
  var firstNonempty: IOSegment? {
    var index = 0
    while index < count {
      let segment = unsafe self[index]
      if segment.count > 0 { return segment }
      index &+= 1
    }
    return nil
  }
}

extension csk_msghdr {
  // The structure contains the address of the segments. The callers of this initializer make system calls with the
  // structure only while the segments exist.
  @inlinable
  init(gathering segments: UnsafeBufferPointer<IOSegment>) {
    unsafe self.init()
    // The kernel returns EMSGSIZE for more than IOV_MAX (1024) segments, so this call passes at most that number. The
    // next call transfers the rest.
    unsafe vectors = segments.vectors
    unsafe vector_count = segments.count < 1024 ? segments.count : 1024
  }
}

extension StreamSocket where Self: ~Copyable {
  /// Writes once from several buffers in order, without waiting. On kernel sockets, this is one system call.
  ///
  /// One call writes from at most 1024 buffers, the kernel's limit (IOV_MAX). Any write may be partial.
  /// - Parameter list: any number of buffers.
  /// - Returns: the total number of bytes written from all buffers (0 only if all buffers are empty), or nil if the
  ///   write would block.
  /// - Throws: as ``write(_:)``.
  @inlinable
  public borrowing func write(gathering list: borrowing GatherList) throws(SocketError) -> Int? {
    try write(segments: list.segments)
  }

  /// Writes at least one byte from several buffers in order, and blocks the calling thread until the kernel accepts a
  /// byte.
  /// - Returns: the total number of bytes written from all buffers, which is at least 1, or 0 if all buffers are empty.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``write(_:)``.
  @inlinable
  public borrowing func write(
    gathering list: borrowing GatherList, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try waiting(for: .writable, .write, until: limit) { (socket) throws(SocketError) in
      try socket.write(segments: list.segments)
    }
  }

  /// Writes all bytes of several buffers in order, and waits as long as necessary.
  /// - Throws: as ``writeAll(_:until:)``.
  @inlinable
  public borrowing func writeAll(
    gathering list: consuming GatherList, until limit: some WaitLimit
  ) throws(SocketError) {
    var done = 0
    do throws(SocketError) {
      var wait = try WaitOperation(.write, until: limit)
      while list.segments.byteCount > 0 {
        if let count = try write(segments: list.segments) {
          done &+= count
          list.segments.drop(count)
          if list.segments.byteCount == 0 { return }
          wait.progressed()
          try wait.check()
        } else {
          try wait.block(on: self, for: .writable)
        }
      }
    } catch {
      throw error.after(transferring: done)
    }
  }

  /// Reads once into several buffers in order, without waiting. On kernel sockets, this is one system call.
  ///
  /// One call reads into at most 1024 buffers, the kernel's limit (IOV_MAX). Any read may be short.
  /// - Parameter list: any number of buffers.
  /// - Returns: `.bytes` with the number of bytes read into all buffers together; `.endOfStream`; or nil if the read
  ///   would block.
  /// - Throws: as ``read(into:)-(MutableSpan<UInt8>)``.
  @inlinable
  public borrowing func read(scattering list: consuming ScatterList) throws(SocketError) -> ReadOutcome? {
    try read(segments: list.segments)
  }

  /// Reads at least one byte into several buffers in order, and blocks the calling thread until a byte arrives.
  /// - Returns: `.bytes` with the number of bytes read into all buffers together, or `.endOfStream`.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``read(into:)-(MutableSpan<UInt8>)``.
  @inlinable
  public borrowing func read(
    scattering list: consuming ScatterList, until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    try waiting(for: .readable, .read, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.read(segments: list.segments)
    }
  }

  /// Fills several buffers in order, and waits as long as necessary.
  /// - Throws: as ``readExactly(into:until:)``.
  @inlinable
  public borrowing func readExactly(
    scattering list: consuming ScatterList, until limit: some WaitLimit
  ) throws(SocketError) {
    var done = 0
    do throws(SocketError) {
      var wait = try WaitOperation(.read, until: limit)
      while list.segments.byteCount > 0 {
        switch try read(segments: list.segments) {
        case .bytes(let count):
          done &+= count
          list.segments.drop(count)
          if list.segments.byteCount == 0 { return }
          wait.progressed()
          try wait.check()
        case .endOfStream: throw SocketError(code: .unexpectedEnd, .read)
        case nil: try wait.block(on: self, for: .readable)
        }
      }
    } catch {
      if error.code == .shutDown { throw SocketError(code: .unexpectedEnd, .read, transferred: done) }
      throw error.after(transferring: done)
    }
  }

  @inlinable
  borrowing func write(segments: borrowing SegmentList) throws(SocketError) -> Int? {
    if segments.byteCount == 0 { return 0 }
    // The list that contains the segments borrows their memory.
    return try unsafe segments.withSegments { unsafe attemptSend(gathering: $0) }.count(.write)
  }

  @inlinable
  borrowing func read(segments: borrowing SegmentList) throws(SocketError) -> ReadOutcome? {
    if segments.byteCount == 0 { return .bytes(0) }
    // The list that contains the segments has exclusive access to their memory.
    return try unsafe segments.withSegments { unsafe attemptReceive(scattering: $0) }.readOutcome(.read)
  }
}
