public import CSocketKit

/// The result of one system call, in one register: a count (for example, of bytes) or a negative error number.
///
/// The primitives of the hot path return an `IOResult` and do not throw, because a `throw` inside a protocol witness
/// prevents the optimizer from specializing the call.
@frozen
public struct IOResult: BitwiseCopyable, Hashable, Sendable {
  /// The raw value. A value of at least 0 is a number of bytes, a number of events, or a descriptor. A negative value
  /// is -errno.
  public let raw: Int

  /// Makes a result from the return value of a system call.
  @inlinable
  public init(raw: Int) { self.raw = raw }

  /// The result "would block": the call cannot proceed now. Try again when a poller reports the descriptor.
  @inlinable public static var wouldBlock: IOResult { IOResult(raw: 0 &- Int(CSK_EAGAIN)) }
  /// The result 0: the end of the stream, or a transfer of 0 bytes.
  @inlinable public static var zero: IOResult { IOResult(raw: 0) }
  /// Returns the failure that has the given error number.
  @inlinable
  public static func failure(errno: Int32) -> IOResult { IOResult(raw: 0 &- Int(errno)) }

  /// Whether the result is an error number, including would-block (EAGAIN) and interrupted (EINTR).
  @inlinable public var isFailure: Bool { raw < 0 }
  /// Whether the call cannot proceed now (EAGAIN).
  @inlinable public var isWouldBlock: Bool { raw == 0 &- Int(CSK_EAGAIN) }
  /// Whether a signal interrupted the call before it had an effect (EINTR). If so, try again.
  @inlinable public var isInterrupted: Bool { raw == 0 &- Int(CSK_EINTR) }
  /// The error number, or 0 if the call succeeded.
  @inlinable public var errno: Int32 { raw < 0 ? Int32(truncatingIfNeeded: 0 &- raw) : 0 }
}

/// The result of a read: a count of bytes, or the end of the stream.
@frozen
public enum ReadOutcome: BitwiseCopyable, Hashable, Sendable {
  /// The number of bytes read. For a stream, this is at least 1, or 0 if the caller's buffer was empty. For messages, 0
  /// means an empty message.
  case bytes(Int)
  /// The peer will not send more data.
  case endOfStream
}

extension IOResult {
  // Conversions for calls that try once. They return nil for would-block.

  /// Returns the count, or nil for would-block.
  /// - Parameter operation: the operation that a thrown error contains.
  /// - Throws: the error for any other failure.
  @inlinable @inline(__always)
  public func count(_ operation: SocketError.Operation) throws(SocketError) -> Int? {
    if raw >= 0 { return raw }
    if isWouldBlock { return nil }
    throw SocketError(self, operation)
  }

  /// Returns the outcome of a read from a stream into a buffer that is not empty, or nil for would-block.
  /// - Parameter operation: the operation that a thrown error contains.
  /// - Throws: the error for any other failure.
  @inlinable @inline(__always)
  public func readOutcome(_ operation: SocketError.Operation) throws(SocketError) -> ReadOutcome? {
    if raw > 0 { return .bytes(raw) }
    if raw == 0 { return .endOfStream }
    if isWouldBlock { return nil }
    throw SocketError(self, operation)
  }
}
