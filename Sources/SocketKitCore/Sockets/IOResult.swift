public import CSocketKit

/// What one system call said, in one register: a count of bytes, 0, or a negative error number.
///
/// The primitives of the hot path return it instead of throwing: a `throw` inside a protocol witness would keep the
/// optimizer from specializing the call.
@frozen
public struct IOResult: BitwiseCopyable, Hashable, Sendable {
  /// At least 0: bytes (or events, or a descriptor). Negative: -errno.
  public let raw: Int

  @inlinable
  public init(raw: Int) { self.raw = raw }

  /// The result "would block": nothing to do now, try again when a poller says so.
  @inlinable public static var wouldBlock: IOResult { IOResult(raw: 0 &- Int(CSK_EAGAIN)) }
  /// The end of the stream, or 0 bytes.
  @inlinable public static var zero: IOResult { IOResult(raw: 0) }
  /// A failure by its error number.
  @inlinable
  public static func failure(errno: Int32) -> IOResult { IOResult(raw: 0 &- Int(errno)) }

  /// Whether this is an error number, would-block and interrupted included.
  @inlinable public var isFailure: Bool { raw < 0 }
  @inlinable public var isWouldBlock: Bool { raw == 0 &- Int(CSK_EAGAIN) }
  /// A signal came before anything was done (EINTR): try again.
  @inlinable public var isInterrupted: Bool { raw == 0 &- Int(CSK_EINTR) }
  /// The error number, or 0.
  @inlinable public var errno: Int32 { raw < 0 ? Int32(truncatingIfNeeded: 0 &- raw) : 0 }
}

/// The result of a read: a count of bytes, or the end of the stream.
@frozen
public enum ReadOutcome: BitwiseCopyable, Hashable, Sendable {
  /// So many bytes were read: at least 1, or 0 when the caller's buffer was empty. Of messages 0 is an empty message.
  case bytes(Int)
  /// The peer will send no more.
  case endOfStream
}

extension IOResult {
  // For the verbs that try: would-block is nil.

  /// A count; nil for would-block.
  @inlinable @inline(__always)
  func count(_ operation: SocketError.Operation) throws(SocketError) -> Int? {
    if raw >= 0 { return raw }
    if isWouldBlock { return nil }
    throw SocketError(self, operation)
  }

  /// What a stream's read of at least one byte found; nil for would-block.
  @inlinable @inline(__always)
  func readOutcome(_ operation: SocketError.Operation) throws(SocketError) -> ReadOutcome? {
    if raw > 0 { return .bytes(raw) }
    if raw == 0 { return .endOfStream }
    if isWouldBlock { return nil }
    throw SocketError(self, operation)
  }
}
