/// What has gone one way through a ``MeteredDatagrams``.
@frozen
public struct DatagramTraffic: BitwiseCopyable, Hashable, Sendable {
  /// Messages as the kernel hands them over: datagrams that it has coalesced, or is to cut, are one.
  public var messages = 0
  /// Their bytes in full length, even where a buffer was shorter.
  public var bytes = 0
  /// Messages that were longer than their buffer: the rest is lost. 0 for what is sent.
  public var truncated = 0

  @inlinable
  public init() {}

  @inlinable
  mutating func add(bytes count: Int, isTruncated: Bool) {
    messages &+= 1
    bytes &+= count
    if isTruncated { truncated &+= 1 }
  }
}
