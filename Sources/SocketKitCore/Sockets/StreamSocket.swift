public import CSocketKit

/// A connected byte stream: bytes arrive in order, without boundaries.
///
/// A transport implements the `attempt…` primitives (kernel sockets inherit them); programs call ``read(into:)``,
/// ``write(_:)`` and the waiting forms.
public protocol StreamSocket: Socket, ~Copyable {
  /// Reads once, without waiting, into the front of `buffer`. 0 is the end of the stream, unless the buffer is empty.
  ///
  /// A signal must not show: try again on EINTR.
  borrowing func attemptReceive(into buffer: inout MutableRawSpan) -> IOResult

  /// Writes once, without waiting, some of the front of `bytes`. Must not raise SIGPIPE.
  borrowing func attemptSend(_ bytes: RawSpan) -> IOResult

  /// Reads once into several buffers in turn. The default reads into the first that is not empty, which is allowed: a
  /// read may always be short.
  @unsafe borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult

  /// Writes once from several buffers in turn. The default writes from the first that is not empty.
  @unsafe borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult
}

extension StreamSocket where Self: KernelSocket & ~Copyable {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(into buffer: inout MutableRawSpan) -> IOResult {
    let number = descriptor.value
    return buffer.withUnsafeMutableBytes { memory in
      var result = csk_recv(number, memory.baseAddress, memory.count, 0)
      while result == 0 &- Int(CSK_EINTR) { result = csk_recv(number, memory.baseAddress, memory.count, 0) }
      return IOResult(raw: result)
    }
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(_ bytes: RawSpan) -> IOResult {
    let number = descriptor.value
    return bytes.withUnsafeBytes { memory in
      var result = csk_send(number, memory.baseAddress, memory.count, CSK_MSG_NOSIGNAL)
      while result == 0 &- Int(CSK_EINTR) {
        result = csk_send(number, memory.baseAddress, memory.count, CSK_MSG_NOSIGNAL)
      }
      return IOResult(raw: result)
    }
  }
}

extension StreamSocket where Self: ~Copyable {
  /// Reads once, without waiting.
  ///
  /// - Parameter buffer: receives from 1 byte to its length. With an empty buffer nothing is asked of the kernel.
  /// - Returns: `.bytes` with the count, `.wouldBlock`, or `.endOfStream` when the peer has ended its side.
  /// - Throws: `.connectionReset`, `.timedOut` (the kernel gave the peer up), `.notConnected`, `.closed`.
  @inlinable
  public borrowing func read(into buffer: consuming MutableSpan<UInt8>) throws(SocketError) -> IOOutcome {
    if buffer.isEmpty { return .bytes(0) }
    var bytes = buffer.mutableBytes
    let result = attemptReceive(into: &bytes)
    if result.raw > 0 { return .bytes(result.raw) }
    if result.raw == 0 { return .endOfStream }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .read)
  }

  /// Reads once, without waiting, and appends to an output span: for buffers that are not initialized yet.
  ///
  /// - Returns: as ``read(into:)``; a span without room reads nothing.
  @inlinable
  public borrowing func read(into output: inout OutputRawSpan) throws(SocketError) -> IOOutcome {
    if output.isFull { return .bytes(0) }
    let result = output.withUnsafeMutableBytes { memory, count in
      let free = UnsafeMutableRawBufferPointer(rebasing: memory[count...])
      // Fresh memory is no Swift value yet; the kernel or the wrapper writes it before it is counted.
      var bytes = MutableRawSpan(_unsafeBytes: free)
      let result = attemptReceive(into: &bytes)
      if result.raw > 0 { count &+= result.raw }
      return result
    }
    if result.raw > 0 { return .bytes(result.raw) }
    if result.raw == 0 { return .endOfStream }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .read)
  }

  /// Writes once, without waiting.
  ///
  /// - Parameter bytes: what to write; the kernel may take only a part.
  /// - Returns: `.bytes` with the count taken (0 only for empty input), or `.wouldBlock`; never `.endOfStream`.
  /// - Throws: `.brokenPipe` when the peer reads no more (SIGPIPE is never raised), `.connectionReset`, `.notConnected`.
  @inlinable
  public borrowing func write(_ bytes: Span<UInt8>) throws(SocketError) -> IOOutcome {
    if bytes.isEmpty { return .bytes(0) }
    let result = attemptSend(bytes.bytes)
    if result.raw >= 0 { return .bytes(result.raw) }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .write)
  }
}
