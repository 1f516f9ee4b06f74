public import CSocketKit

/// A connected byte stream: bytes arrive in order, without boundaries.
///
/// A transport implements the `attempt…` primitives (kernel sockets inherit them). Programs call
/// ``read(into:)-(MutableSpan<UInt8>)``, ``write(_:)`` and their waiting forms. Some wrappers buffer bytes themselves,
/// must read before they can write, or must write before they can read. Such a wrapper also implements
/// ``Watchable/pending`` and ``Watchable/sources(for:)``, and must not be a ``DescriptorSocket``.
public protocol StreamSocket: ConnectedSocket, ~Copyable {
  /// Reads once, without waiting, into the front of `buffer`. Returns 0 at the end of the stream, or if the buffer is
  /// empty.
  ///
  /// The implementation must not return EINTR: it must try again after a signal.
  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult

  /// Writes once, without waiting, from the front of `bytes`. The write may be partial. The implementation must not
  /// raise SIGPIPE.
  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult

  /// Reads once into several buffers in order. The default implementation reads into the first buffer that is not
  /// empty. This is correct, because any read may be short.
  @unsafe borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult

  /// Writes once from several buffers in order. The default implementation writes from the first buffer that is not
  /// empty.
  @unsafe borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult
}

extension StreamSocket where Self: KernelSocket & ~Copyable {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    let raw = descriptor
    return Self.named(raw.attemptReceiveBytes(into: &buffer, flags: 0), on: raw)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    let raw = descriptor
    return Self.named(raw.attemptSendBytes(bytes, flags: CSK_MSG_NOSIGNAL), on: raw)
  }
}

extension RawDescriptor {
  /// Calls recv(2), and repeats the call after EINTR.
  @inlinable @inline(__always)
  func attemptReceiveBytes(into buffer: inout MutableSpan<UInt8>, flags: Int32) -> IOResult {
    let number = value
    // The kernel writes at most `count` bytes, and writes them only during the call.
    return unsafe buffer.withUnsafeMutableBytes { memory in
      var result = unsafe csk_recv(number, memory.baseAddress, memory.count, flags)
      while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_recv(number, memory.baseAddress, memory.count, flags) }
      return IOResult(raw: result)
    }
  }

  /// Calls send(2), and repeats the call after EINTR.
  @inlinable @inline(__always)
  func attemptSendBytes(_ bytes: Span<UInt8>, flags: Int32) -> IOResult {
    let number = value
    // The kernel reads at most `count` bytes, and reads them only during the call.
    return unsafe bytes.withUnsafeBytes { memory in
      var result = unsafe csk_send(number, memory.baseAddress, memory.count, flags)
      while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_send(number, memory.baseAddress, memory.count, flags) }
      return IOResult(raw: result)
    }
  }
}
