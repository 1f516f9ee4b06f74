/// The identifier of a buffer that was passed to a ``ZeroCopySender``, counted from 0 for each sender.
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
  /// The number of bytes of the buffer that were sent: all, unless the program stopped sending.
  public let bytesSent: Int
  /// Whether the kernel copied some of the bytes, which it always does on loopback.
  public let wasCopied: Bool
  private let buffer: PinnedBuffer

  init(id: ZeroCopyID, bytesSent: Int, wasCopied: Bool, buffer: consuming PinnedBuffer) {
    self.id = id
    self.bytesSent = bytesSent
    self.wasCopied = wasCopied
    self.buffer = buffer
  }

  /// Returns the buffer, which can be filled again.
  public consuming func takeBuffer() -> PinnedBuffer { buffer }
}

/// The result of sending the queue.
@frozen
public enum FlushOutcome: BitwiseCopyable, Hashable, Sendable {
  /// The kernel has accepted all queued buffers.
  case done
  /// Too many sends are in flight, for the kernel or for the sender. Continue after
  /// ``ZeroCopySender/readCompletions(from:)`` has read completions.
  case waitForCompletions
}
