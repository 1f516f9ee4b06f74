internal import SocketKitCore

/// The identifier of a buffer that was passed to a ``ZeroCopySender``. Each sender assigns the identifiers 0, 1, 2, …
/// to its buffers.
@frozen
public struct ZeroCopyID: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt64
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A buffer that the kernel no longer uses.
public struct ZeroCopyCompletion: ~Copyable, Sendable {
  /// The identifier of the buffer.
  public let id: ZeroCopyID
  /// The number of bytes of the buffer that were sent. The number equals ``PinnedBuffer/count`` unless the program
  /// stopped sending the buffer.
  public let bytesSent: Int
  /// Whether the kernel copied some of the bytes. On loopback, the kernel always copies the bytes.
  public let wasCopied: Bool
  private let buffer: PinnedBuffer

  init(id: ZeroCopyID, bytesSent: Int, wasCopied: Bool, buffer: consuming PinnedBuffer) {
    self.id = id
    self.bytesSent = bytesSent
    self.wasCopied = wasCopied
    self.buffer = buffer
  }

  /// Returns the buffer, which the program can fill again.
  public consuming func takeBuffer() -> PinnedBuffer { buffer }
}

/// The result of sending the queue.
@frozen
public enum FlushOutcome: BitwiseCopyable, Hashable, Sendable {
  /// The kernel has accepted all queued buffers.
  case done
  /// The number of sends in flight has reached the limit of the kernel or of the sender. Read completions with
  /// ``ZeroCopySender/readCompletions(from:)``, then continue.
  case waitForCompletions
}
