/// One entry of a socket's error queue, with the message that it is about.
@frozen
public struct QueuedError<Address: SocketAddress>: Sendable {
  /// What happened.
  public let error: ExtendedError
  /// Where the message was going; nil when the kernel does not say (completions of zero-copy sends).
  public let destination: Address?
  /// How many bytes of the message's front are in the caller's buffer. An ICMP message quotes at least 8 bytes beyond
  /// the IP header (RFC 792), which is UDP's header: so this may be 0 although the message was not empty.
  public let byteCount: Int
  /// More of the message was there than the buffer takes.
  public let isTruncated: Bool
  /// What else came: the timestamp of a transmission, say.
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
  /// Takes the oldest entry of the error queue, without waiting: needs the option `.receiveErrors`, or one whose
  /// completions come this way (`.timestampingFlags`). A poller reports a filled queue as an error, whatever is asked
  /// for.
  ///
  /// Entries whose origin this version does not know are skipped. The queue shares the receive buffer's limit: beyond
  /// it the kernel drops entries.
  ///
  /// - Parameter payload: receives the front of the message that failed, may be empty.
  /// - Returns: nil when the queue is empty.
  /// - Throws: `.closed`; `.notSupported` by sockets that have no such queue, from which nothing is taken: see
  ///   ``DescriptorSocket/nextQueuedError()``.
  @inlinable
  public borrowing func receiveError(
    into payload: consuming MutableSpan<UInt8> = MutableSpan()
  ) throws(SocketError) -> QueuedError<Address>? {
    if !Self.capabilities.contains(.errorQueue) { try readSource.requireErrorQueue() }
    var bytes = payload.mutableBytes
    let room = bytes.byteCount
    var control = InlineArray<32, UInt64>(repeating: 0)
    var info = MessageInfo()
    while true {
      var words = control.mutableSpan
      var extra = words.mutableBytes
      let result = attemptReceive(into: &bytes, control: &extra, flags: .errorQueue, &info)
      if result.isWouldBlock { return nil }
      if result.isFailure { throw SocketError(result, .receive) }
      let metadata = PacketMetadata(control: control.span.bytes.extracting(first: info.controlLength))
      if let error = metadata.error {
        return QueuedError(
          error, Address(info.address), result.raw < room ? result.raw : room, info.isTruncated, metadata)
      }
    }
  }
}
