/// An entry of a socket's error queue, with information about the message that caused it.
@frozen
public struct QueuedError<Address: SocketAddress>: Sendable {
  /// The error that the kernel reports.
  public let error: ExtendedError
  /// The destination of the message; nil when the kernel does not report it (completions of zero-copy sends).
  public let destination: Address?
  /// The number of bytes of the message in the caller's buffer, from the beginning of the message. An ICMP message
  /// quotes at least 8 bytes beyond the IP header (RFC 792), which is the length of the UDP header. So this may be 0
  /// although the message was not empty.
  public let byteCount: Int
  /// Whether the entry contains more bytes of the message than the buffer holds.
  public let isTruncated: Bool
  /// The other ancillary data of the entry, such as a transmit timestamp.
  public let metadata: PacketMetadata

  @inlinable
  init(
    _ error: ExtendedError, _ destination: Address?, _ byteCount: Int, _ isTruncated: Bool, _ metadata: PacketMetadata
  ) {
    self.error = error
    self.destination = destination
    self.byteCount = byteCount
    self.isTruncated = isTruncated
    self.metadata = metadata
  }
}

extension DatagramSocket where Self: ~Copyable {
  /// Removes and returns the oldest entry of the error queue, without waiting.
  ///
  /// The socket needs the option `.receiveErrors`, or an option whose completions are reported in this queue
  /// (`.timestampingFlags`). While the queue has entries, a poller reports an error, whatever the program asked for.
  ///
  /// The call skips entries of an unknown origin. The queue shares the limit of the receive buffer; beyond the limit
  /// the kernel drops entries.
  ///
  /// - Parameter payload: receives the first bytes of the message that failed; may be empty.
  /// - Returns: the entry; nil when the queue is empty.
  /// - Throws: `.closed`; `.notSupported` when the socket has no error queue; the call then reads nothing. See
  ///   ``DescriptorSocket/nextQueuedError()``.
  @inlinable
  public borrowing func receiveError(
    into payload: consuming MutableSpan<UInt8> = MutableSpan()
  ) throws(SocketError) -> QueuedError<Address>? {
    if !Self.capabilities.contains(.errorQueue) { try readSource.requireErrorQueue() }
    var bytes = payload.mutableBytes
    let room = bytes.byteCount
    var ancillary = InlineArray<32, UInt64>(repeating: 0)
    var info = MessageInfo()
    while true {
      var words = ancillary.mutableSpan
      var extra = words.mutableBytes
      let result = attemptReceive(into: &bytes, ancillary: &extra, flags: .errorQueue, &info)
      if result.isWouldBlock { return nil }
      if result.isFailure { throw SocketError(result, .receive) }
      let metadata = PacketMetadata(ancillary: ancillary.span.bytes.extracting(first: info.ancillaryLength))
      if let error = metadata.error {
        return QueuedError(
          error, Address(info.address), result.raw < room ? result.raw : room, info.isTruncated, metadata)
      }
    }
  }
}
