internal import CSocketKit
public import SocketKitCore

/// An entry of a socket's error queue, with information about the message that caused it.
@frozen
public struct QueuedError<Address: SocketAddress>: Sendable {
  /// The error that the kernel reports.
  public let error: ExtendedError
  /// The destination of the message; nil if the kernel does not report it, as for completions of zero-copy sends.
  public let destination: Address?
  /// The number of bytes that the kernel has written to the caller's buffer. They are the first bytes of the message.
  /// The number may be 0 for a message that was not empty: an ICMP message may contain only the IP header and the next
  /// 8 bytes (RFC 792). For UDP, these 8 bytes are the UDP header.
  public let byteCount: Int
  /// Whether the entry contains more bytes of the message than fit into the caller's buffer.
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
  /// `.timestampingFlags`). TCP sockets have an error queue, as UDP sockets do.
  ///
  /// While the queue contains entries, every poller reports ``/SocketKitCore/Readiness/error`` (EPOLLERR) for the
  /// socket, even if the program did not request it. A level-triggered poller reports it on every wait.
  ///
  /// The call reads the error queue of ``/SocketKitCore/Watchable/readSource`` and skips entries of an unknown origin.
  /// The entries count towards the limit of the receive buffer. When the limit is reached, the kernel drops new
  /// entries.
  ///
  /// - Parameter payload: receives the first bytes of the message that failed. The buffer may be empty.
  /// - Returns: the entry; nil if the queue is empty.
  /// - Throws: `.closed`; `.notASocket`; `.notSupported` if the socket has no error queue (Unix, SCTP, netlink, vsock
  ///   before Linux 6.7). If the call throws `.notASocket` or `.notSupported`, it reads nothing.
  @inlinable
  public borrowing func nextQueuedError(
    into payload: consuming MutableSpan<UInt8> = MutableSpan()
  ) throws(SocketError) -> QueuedError<Address>? {
    let source = readSource
    if !Self.capabilities.contains(.errorQueue) { try source.requireErrorQueue() }
    var bytes = payload
    var info = MessageInfo()
    var metadata = PacketMetadata()
    guard let error = try source.nextQueuedError(into: &bytes, &info, &metadata) else { return nil }
    let count = info.length < bytes.count ? info.length : bytes.count
    return QueuedError(error, Address(info.address), count, info.isTruncated, metadata)
  }
}

extension RawDescriptor {
  /// Reads the error queue of a socket. The caller has checked that the socket has an error queue.
  @usableFromInline
  func nextQueuedError(
    into bytes: inout MutableSpan<UInt8>, _ info: inout MessageInfo, _ metadata: inout PacketMetadata
  ) throws(SocketError) -> ExtendedError? {
    let flags = ReceiveFlags.errorQueue.union(ReceiveFlags(rawValue: CSK_MSG_DONTWAIT))
    var memory = InlineArray<32, UInt64>(repeating: 0)
    while true {
      var words = memory.mutableSpan
      var ancillary = words.mutableIntegerBytes
      let result = attemptReceiveMessage(
        into: &bytes, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
      if result.isWouldBlock { return nil }
      if result.isFailure { throw SocketError(result, .receive) }
      metadata = PacketMetadata(ancillary: memory.span.integerBytes.extracting(first: info.ancillaryLength))
      if let error = metadata.error { return error }
    }
  }

  /// Reads an entry of the error queue of a socket, but not the message that caused the entry. The caller has checked
  /// that the socket has an error queue.
  package func nextQueuedError() throws(SocketError) -> ExtendedError? {
    var none = MutableSpan<UInt8>()
    var info = MessageInfo()
    var metadata = PacketMetadata()
    return try nextQueuedError(into: &none, &info, &metadata)
  }
}
