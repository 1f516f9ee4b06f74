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

/// What trying once to move bytes came to.
@frozen
public enum IOOutcome: BitwiseCopyable, Hashable, Sendable {
  /// So many bytes were moved: at least 1, or 0 when the caller's buffer was empty.
  case bytes(Int)
  /// Nothing can be moved now.
  case wouldBlock
  /// The peer will send no more.
  case endOfStream
}

/// What a waiting read came to.
@frozen
public enum ReadOutcome: BitwiseCopyable, Hashable, Sendable {
  /// So many bytes were read: at least 1, or 0 when the caller's buffer was empty.
  case bytes(Int)
  /// The peer will send no more.
  case endOfStream
}
