/// What a buffer handed to a ``ZeroCopySender`` is known by: counted from 0 for each sender.
@frozen
public struct ZeroCopyID: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt64
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A buffer that the kernel has done with.
public struct ZeroCopyCompletion: ~Copyable, Sendable {
  public let id: ZeroCopyID
  /// Bytes that were sent of it: all, unless sending was given up.
  public let bytesSent: Int
  /// The kernel copied some of the bytes after all: always on loopback.
  public let wasCopied: Bool
  private let buffer: PinnedBuffer

  init(id: ZeroCopyID, bytesSent: Int, wasCopied: Bool, buffer: consuming PinnedBuffer) {
    self.id = id
    self.bytesSent = bytesSent
    self.wasCopied = wasCopied
    self.buffer = buffer
  }

  /// The buffer, to be filled anew.
  public consuming func takeBuffer() -> PinnedBuffer { buffer }
}

/// What sending the queue came to.
@frozen
public enum FlushOutcome: BitwiseCopyable, Hashable, Sendable {
  /// All that was queued is in the kernel's hands.
  case done
  /// Too many sends are in flight, for the kernel or for the sender: go on after
  /// ``ZeroCopySender/readCompletions(from:)`` has found some.
  case waitForCompletions
}
