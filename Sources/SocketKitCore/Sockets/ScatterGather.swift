public import CSocketKit

/// One buffer of a scattered read or gathered write: an address and a length in bytes, in the layout of the kernel's
/// iovec.
@frozen
public struct IOSegment {
  public var baseAddress: UnsafeMutableRawPointer?
  public var count: Int

  @unsafe @inlinable
  public init(_ memory: UnsafeMutableRawBufferPointer) {
    baseAddress = memory.baseAddress
    count = memory.count
  }

  /// Makes a segment for writing only: the kernel does not change the bytes.
  @unsafe @inlinable
  public init(_ memory: UnsafeRawBufferPointer) {
    baseAddress = UnsafeMutableRawPointer(mutating: memory.baseAddress)
    count = memory.count
  }
}

extension StreamSocket where Self: ~Copyable {
  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    for segment in segments where segment.count > 0 {
      var bytes = MutableRawSpan(
        _unsafeBytes: UnsafeMutableRawBufferPointer(start: segment.baseAddress, count: segment.count))
      return attemptReceive(into: &bytes)
    }
    return .zero
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    for segment in segments where segment.count > 0 {
      return attemptSend(
        RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: segment.baseAddress, count: segment.count)))
    }
    return .zero
  }
}

extension StreamSocket where Self: KernelSocket & ~Copyable {
  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    var message = csk_msghdr(gathering: segments)
    var result = csk_recvmsg(descriptor.value, &message, 0)
    while result == 0 &- Int(CSK_EINTR) { result = csk_recvmsg(descriptor.value, &message, 0) }
    return Self.named(IOResult(raw: result), on: descriptor)
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    var message = csk_msghdr(gathering: segments)
    var result = csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL)
    while result == 0 &- Int(CSK_EINTR) { result = csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL) }
    return Self.named(IOResult(raw: result), on: descriptor)
  }
}

extension csk_msghdr {
  @inlinable
  init(gathering segments: UnsafeBufferPointer<IOSegment>) {
    self.init()
    // IOSegment has iovec's layout. The kernel returns EMSGSIZE for more than IOV_MAX (1024) segments; the next call
    // sends the rest.
    vectors = UnsafeMutableRawPointer(mutating: segments.baseAddress)?.assumingMemoryBound(to: csk_iovec.self)
    vector_count = segments.count < 1024 ? segments.count : 1024
  }
}

extension StreamSocket where Self: ~Copyable {
  /// Writes once from two to four buffers in turn, for example a header and a body. On kernel sockets this is one
  /// system call.
  ///
  /// - Returns: the number of bytes taken from all buffers together; nil when the kernel takes none now.
  /// - Throws: as ``write(_:)``.
  @inlinable
  public borrowing func write(
    gathering first: Span<UInt8>, _ second: Span<UInt8>, _ third: Span<UInt8> = Span(),
    _ fourth: Span<UInt8> = Span()
  ) throws(SocketError) -> Int? {
    let result = first.withUnsafeBytes { a in
      second.withUnsafeBytes { b in
        third.withUnsafeBytes { c in
          fourth.withUnsafeBytes { d in
            let segments: InlineArray<4, IOSegment> = [IOSegment(a), IOSegment(b), IOSegment(c), IOSegment(d)]
            if a.count &+ b.count &+ c.count &+ d.count == 0 { return IOResult.zero }
            return segments.span.withUnsafeBufferPointer { attemptSend(gathering: $0) }
          }
        }
      }
    }
    return try result.count(.write)
  }

  /// Reads once into two buffers in turn. On kernel sockets this is one system call.
  ///
  /// - Returns: `.bytes` with the count over both buffers; `.endOfStream`; nil when there is nothing to read now.
  /// - Throws: as ``read(into:)-(MutableSpan<UInt8>)``.
  @inlinable
  public borrowing func read(
    scattering first: consuming MutableSpan<UInt8>, _ second: consuming MutableSpan<UInt8>
  ) throws(SocketError) -> ReadOutcome? {
    if first.isEmpty && second.isEmpty { return .bytes(0) }
    let result = first.withUnsafeMutableBytes { a in
      second.withUnsafeMutableBytes { b in
        let segments: InlineArray<2, IOSegment> = [IOSegment(a), IOSegment(b)]
        return segments.span.withUnsafeBufferPointer { attemptReceive(scattering: $0) }
      }
    }
    return try result.readOutcome(.read)
  }
}
