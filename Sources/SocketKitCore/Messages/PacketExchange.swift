// Sending and receiving datagrams of IP sockets together with their metadata.

extension DatagramSocket where Self: ~Copyable, Address == IPSocketAddress {
  /// Receives one datagram and its metadata, without waiting. The socket options that request the metadata must be set.
  ///
  /// With the option `.receivePathMTU` a result of 0 bytes may be a notice instead of a datagram;
  /// ``PacketMetadata/pathMTU`` is not nil then.
  ///
  /// - Parameter metadata: receives the destination, interface, hop limit, timestamp and other metadata. The ancillary
  ///   data need no memory of the caller: 320 bytes of stack hold all metadata of UDP.
  /// - Returns: as ``receive(into:_:flags:)``.
  /// - Throws: as ``receive(into:_:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, metadata: inout PacketMetadata,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var ancillary = InlineArray<40, UInt64>(repeating: 0)
    var words = ancillary.mutableSpan
    var extra = words.mutableBytes
    let count = try receive(into: buffer, ancillary: &extra, &info, flags: flags)
    if count != nil {
      metadata = PacketMetadata(ancillary: ancillary.span.bytes.extracting(first: info.ancillaryLength))
    }
    return count
  }

  /// Receives one datagram and its metadata, waiting on this thread until there is one.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram.
  /// - Throws: `.shutDown` when ``Socket/shutdown(_:)`` has ended the receiving direction and no datagram is left;
  ///   `.timedOut`, `.cancelled`, and as ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, metadata: inout PacketMetadata,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var memory = InlineArray<40, UInt64>(repeating: 0)
    var words = memory.mutableSpan
    var extra = words.mutableBytes
    let count = try receive(into: buffer, ancillary: &extra, &info, flags: flags, until: limit)
    metadata = PacketMetadata(ancillary: memory.span.bytes.extracting(first: info.ancillaryLength))
    return count
  }

  /// Sends one datagram with settings in addition to the socket's options, without waiting.
  ///
  /// - Parameters:
  ///   - address: the receiver; on a connected socket, the address that it is connected to.
  ///   - metadata: source address, interface, hop limit, traffic class, segment size, time of sending, and whether the
  ///     packet may be fragmented.
  /// - Returns: as ``send(_:to:flags:)``.
  /// - Throws: `.invalidArgument` or `.unreachable`, depending on the kernel (a source that is not an address of this
  ///   host), `.addressNotAvailable` (no such interface), `.invalidArgument` (a source of the other IP version, a
  ///   segment size that the host does not support, a time of sending without the option `.transmitTime`),
  ///   `.notSupported` (``OutgoingMetadata/doNotFragment`` over IPv4), and as ``send(_:to:flags:)``.
  @inlinable @inline(__always)
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: IPSocketAddress, metadata: OutgoingMetadata, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    var ancillary = AncillaryBuffer<160>()
    try metadata.encode(into: &ancillary, for: address)
    let result = ancillary.withBytes { extra in
      address.withBytes { attemptSend(bytes.bytes, ancillary: extra, to: $0, flags: flags) }
    }
    return try result.count(.send)
  }
}
