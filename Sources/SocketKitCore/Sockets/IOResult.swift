public import CSocketKit

/// The result of one system call, in one register: a count of bytes, 0, or a negative error number.
///
/// The primitives of the hot path return it and do not throw, because a `throw` inside a protocol witness would keep
/// the optimizer from specializing the call.
@frozen
public struct IOResult: BitwiseCopyable, Hashable, Sendable {
  /// The raw value. At least 0: a number of bytes (or of events, or a descriptor). Negative: -errno.
  public let raw: Int

  /// Makes a result from the return value of a system call.
  @inlinable
  public init(raw: Int) { self.raw = raw }

  /// The result "would block": the call can do nothing now. Try again when a poller reports the descriptor.
  @inlinable public static var wouldBlock: IOResult { IOResult(raw: 0 &- Int(CSK_EAGAIN)) }
  /// The end of the stream, or 0 bytes.
  @inlinable public static var zero: IOResult { IOResult(raw: 0) }
  /// Returns the failure with an error number.
  @inlinable
  public static func failure(errno: Int32) -> IOResult { IOResult(raw: 0 &- Int(errno)) }

  /// Whether this is an error number, including would-block and interrupted.
  @inlinable public var isFailure: Bool { raw < 0 }
  /// Whether the call can do nothing now (EAGAIN).
  @inlinable public var isWouldBlock: Bool { raw == 0 &- Int(CSK_EAGAIN) }
  /// Whether a signal interrupted the call before it did anything (EINTR). If so, try again.
  @inlinable public var isInterrupted: Bool { raw == 0 &- Int(CSK_EINTR) }
  /// The error number; 0 when there is none.
  @inlinable public var errno: Int32 { raw < 0 ? Int32(truncatingIfNeeded: 0 &- raw) : 0 }
}

/// The result of a read: a count of bytes, or the end of the stream.
@frozen
public enum ReadOutcome: BitwiseCopyable, Hashable, Sendable {
  /// The number of bytes read: at least 1, or 0 when the caller's buffer was empty. For messages, 0 is an empty
  /// message.
  case bytes(Int)
  /// The peer will send no more.
  case endOfStream
}

extension IOResult {
  // For calls that try once: would-block becomes nil.

  /// Returns a count; nil for would-block.
  @inlinable @inline(__always)
  func count(_ operation: SocketError.Operation) throws(SocketError) -> Int? {
    if raw >= 0 { return raw }
    if isWouldBlock { return nil }
    throw SocketError(self, operation)
  }

  /// Returns the outcome of a stream's read of at least one byte; nil for would-block.
  @inlinable @inline(__always)
  func readOutcome(_ operation: SocketError.Operation) throws(SocketError) -> ReadOutcome? {
    if raw > 0 { return .bytes(raw) }
    if raw == 0 { return .endOfStream }
    if isWouldBlock { return nil }
    throw SocketError(self, operation)
  }
}
