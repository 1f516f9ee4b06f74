/// A socket that sends and receives datagrams: messages that need no connection and are routed independently. Datagrams
/// have no end of stream.
///
/// A datagram socket may be connected to one address. It then sends to that address, receives only from it, and reports
/// ICMP errors.
public protocol DatagramSocket: MessageSocket, ~Copyable {
  /// Returns the address that the socket is connected to (getpeername(2)); nil when it is not connected. The kernel
  /// keeps no such address for raw IP sockets.
  /// - Throws: `.invalidAddress` when the address is not one of this transport; `.closed`.
  borrowing func connectedAddress() throws(SocketError) -> Address?
}

extension DatagramSocket where Self: ~Copyable {
  /// Receives one datagram, without waiting.
  ///
  /// - Parameters:
  ///   - buffer: receives the first bytes of the datagram. With an empty buffer the call takes a datagram and discards
  ///     its bytes.
  ///   - info: receives the full length of the datagram, whether the datagram was truncated, and the sender.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram; nil when no datagram is available.
  /// - Throws: the pending error of an earlier send, such as `.connectionRefused` on a connected socket.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var none = MutableRawSpan()
    return try receive(into: buffer, ancillary: &none, &info, flags: flags)
  }

  /// Receives one datagram, waiting on this thread until there is one.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram.
  /// - Throws: `.shutDown` when ``Socket/shutdown(_:)`` has ended the receiving direction, before the call or while it
  ///   waits, and no datagram is left; `.timedOut`, `.cancelled`, and as ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var none = MutableRawSpan()
    return try receive(into: buffer, ancillary: &none, &info, flags: flags, until: limit)
  }

  /// Receives one datagram with its ancillary data, without waiting. ``PacketMetadata`` decodes the ancillary data.
  ///
  /// The call closes received descriptors and writes -1 in the place of each. To get descriptors, use
  /// `receive(into:descriptors:…)` of a Unix socket.
  ///
  /// - Parameter ancillary: receives ancillary data; ``MessageInfo/ancillaryLength`` is their length. 320 bytes hold
  ///   all ancillary data of UDP. Ancillary data that do not fit are lost, and the flags contain
  ///   ``MessageInfo/Flags/ancillaryTruncated``.
  /// - Returns: as ``receive(into:_:flags:)``.
  /// - Throws: as ``receive(into:_:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout MutableRawSpan, _ info: inout MessageInfo,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, &ancillary, &info, flags)
  }

  /// Receives one datagram with its ancillary data, waiting on this thread until there is one.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram.
  /// - Throws: as ``receive(into:_:flags:until:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout MutableRawSpan, _ info: inout MessageInfo,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &ancillary, &info, flags)
    }
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableRawSpan, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> Int? {
    let room = bytes.byteCount
    let result = attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
    if result.raw >= 0 {
      if info.ancillaryLength != 0 && mayReceiveDescriptors {
        closePassedDescriptors(in: &ancillary, info.ancillaryLength)
      }
      return result.raw < room ? result.raw : room
    }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Receives one datagram and its sender, without waiting. Use ``receive(into:_:flags:)`` to detect truncation too.
  ///
  /// - Parameter sender: receives the sender's address; nil when it has none (an unbound Unix socket).
  /// - Returns: as ``receive(into:_:flags:)``.
  /// - Throws: as ``receive(into:_:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from sender: inout Address?
  ) throws(SocketError) -> Int? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, from: &sender)
  }

  /// Receives one datagram and its sender, waiting on this thread until there is one.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram.
  /// - Throws: as ``receive(into:_:flags:until:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from sender: inout Address?, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, from: &sender)
    }
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableRawSpan, from sender: inout Address?
  ) throws(SocketError) -> Int? {
    let room = bytes.byteCount
    var address = AnySocketAddress()
    let result = attemptReceive(into: &bytes, from: &address, flags: [])
    if result.raw >= 0 {
      // Avoids a copy, because an address of any family is large.
      sender = address.withOwnBytes { Address(sockaddr: $0) }
      return result.raw < room ? result.raw : room
    }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Sends one datagram, as a whole or not at all, without waiting.
  ///
  /// - Parameters:
  ///   - address: the receiver; for a connected socket use ``send(_:ancillary:flags:)``.
  /// - Returns: the number of bytes sent; nil when the call would block.
  /// - Throws: `.messageTooLarge`, `.unreachable`, `.permissionDenied` (broadcast needs the option),
  ///   `.connectionRefused` (the pending error of an earlier send), `.invalidArgument`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: Address, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = address.withBytes { attemptSend(bytes.bytes, ancillary: RawSpan(), to: $0, flags: flags) }
    return try result.count(.send)
  }

  /// Sends one datagram with ancillary data, encoded by ``OutgoingMetadata`` or ``AncillaryBuffer``.
  /// - Returns: as ``send(_:to:flags:)``.
  /// - Throws: as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: Address, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = address.withBytes { attemptSend(bytes.bytes, ancillary: ancillary, to: $0, flags: flags) }
    return try result.count(.send)
  }

  /// Sends one datagram on a connected socket.
  /// - Returns: as ``send(_:to:flags:)``.
  /// - Throws: `.notConnected`, and as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try attemptSend(bytes.bytes, ancillary: ancillary, to: RawSpan(), flags: flags).count(.send)
  }

  /// Sends one datagram, waiting on this thread until there is room.
  ///
  /// After the queue of a Unix receiver was full, the call detects free room within one millisecond, or within four
  /// after a long wait. When the socket is connected to the receiver, the call detects it at once.
  /// - Parameter address: the receiver; nil on a connected socket.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: Address?, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) {
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    try sendWaiting(bytes, receiver, flags, until: limit)
  }
}
