internal import CSocketKit

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

extension Socket where Self: ~Copyable {
  /// Removes and returns the oldest entry of the socket's error queue, without waiting. Entries are, for example, ICMP
  /// errors (option `.receiveErrors`), completions of zero-copy sends and transmit timestamps (option
  /// `.timestampingFlags`). Streams have such a queue too.
  ///
  /// While the queue has entries, every poller reports ``Readiness/error`` for the socket, also when the program did
  /// not ask for it (EPOLLERR). A level-triggered poller reports it on every wait.
  ///
  /// The call reads the queue of ``Watchable/readSource`` and skips entries of an unknown origin. The queue shares the
  /// limit of the receive buffer; beyond the limit the kernel drops entries.
  ///
  /// - Parameter payload: receives the first bytes of the message that failed; may be empty.
  /// - Returns: the entry; nil when the queue is empty.
  /// - Throws: `.closed`; `.notSupported` when the socket has no error queue (Unix, SCTP, netlink, vsock before Linux
  ///   6.7); the call then reads nothing.
  @inlinable
  public borrowing func nextQueuedError(
    into payload: consuming MutableSpan<UInt8> = MutableSpan()
  ) throws(SocketError) -> QueuedError<Address>? {
    let source = readSource
    if !Self.capabilities.contains(.errorQueue) { try source.requireErrorQueue() }
    var bytes = payload.mutableBytes
    var info = MessageInfo()
    var metadata = PacketMetadata()
    guard let error = try source.nextQueuedError(into: &bytes, &info, &metadata) else { return nil }
    let count = info.length < bytes.byteCount ? info.length : bytes.byteCount
    return QueuedError(error, Address(info.address), count, info.isTruncated, metadata)
  }
}

extension RawDescriptor {
  /// Reads the queue of a socket that is known to have one.
  @usableFromInline
  func nextQueuedError(
    into bytes: inout MutableRawSpan, _ info: inout MessageInfo, _ metadata: inout PacketMetadata
  ) throws(SocketError) -> ExtendedError? {
    let flags = ReceiveFlags.errorQueue.union(ReceiveFlags(rawValue: CSK_MSG_DONTWAIT))
    var memory = InlineArray<32, UInt64>(repeating: 0)
    while true {
      var words = memory.mutableSpan
      var ancillary = words.mutableBytes
      let result = attemptReceiveMessage(
        into: &bytes, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
      if result.isWouldBlock { return nil }
      if result.isFailure { throw SocketError(result, .receive) }
      metadata = PacketMetadata(ancillary: memory.span.bytes.extracting(first: info.ancillaryLength))
      if let error = metadata.error { return error }
    }
  }

  /// Reads the queue of a socket that is known to have one, without the message that caused the entry.
  func nextQueuedError() throws(SocketError) -> ExtendedError? {
    var none = MutableRawSpan()
    var info = MessageInfo()
    var metadata = PacketMetadata()
    return try nextQueuedError(into: &none, &info, &metadata)
  }
}
