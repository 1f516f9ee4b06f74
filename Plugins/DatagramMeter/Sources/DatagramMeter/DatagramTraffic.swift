/// The traffic through a ``MeteredDatagrams`` in one direction.
@frozen
public struct DatagramTraffic: BitwiseCopyable, Hashable, Sendable {
  /// The number of messages. Datagrams that the kernel has coalesced into one message count as one message. The
  /// segments into which the kernel splits a message also count as one message.
  public var messages = 0
  /// The sum of the full lengths of the messages in bytes. If a buffer was shorter than a message, the whole message
  /// counts.
  public var bytes = 0
  /// The number of messages that were longer than their buffer and therefore truncated. 0 for sent messages.
  public var truncated = 0

  @inlinable
  public init() {}

  /// Adds one message.
  @inlinable
  mutating func add(_ length: Int, isTruncated: Bool) {
    messages &+= 1
    bytes &+= length
    if isTruncated { truncated &+= 1 }
  }
}
