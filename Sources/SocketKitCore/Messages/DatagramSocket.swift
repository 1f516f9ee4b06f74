/// Datagrams: no connection is needed, each message finds its own way, and none has an end.
///
/// A socket may be connected all the same: then it sends to that one address, hears only from it, and hears of ICMP
/// errors.
public protocol DatagramSocket: MessageSocket, ~Copyable {
  /// The address that the socket is connected to (getpeername(2)); nil when it is not connected. The kernel keeps none
  /// for raw IP sockets.
  /// - Throws: `.invalidAddress` when it is not one of this transport's addresses; `.closed`.
  borrowing func connectedAddress() throws(SocketError) -> Address?
}

extension DatagramSocket where Self: ~Copyable {
  /// Receives one datagram, without waiting.
  ///
  /// - Parameters:
  ///   - buffer: receives the front of the datagram; an empty buffer takes a datagram and drops its bytes.
  ///   - info: receives the true length, whether the datagram was truncated, and the sender.
  /// - Returns: the count in the buffer, 0 for an empty datagram; nil when there is no datagram now.
  /// - Throws: what an earlier send brought back, such as `.connectionRefused` on a connected socket.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var none = MutableRawSpan()
    return try receive(into: buffer, control: &none, &info, flags: flags)
  }

  /// Receives one datagram, waiting on this thread until there is one.
  /// - Returns: the count in the buffer; 0 is an empty datagram.
  /// - Throws: `.shutDown` when ``Socket/shutdown(_:)`` has ended the receiving, before the call or while it waits, and
  ///   no datagram is left; `.timedOut`, `.cancelled`, and as ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var none = MutableRawSpan()
    return try receive(into: buffer, control: &none, &info, flags: flags, until: limit)
  }

  /// Receives one datagram with its control data, without waiting: read them as ``PacketMetadata``.
  ///
  /// Descriptors that come along are closed, and -1 stands in their places: use `receive(into:descriptors:…)` of a Unix
  /// socket to get them.
  ///
  /// - Parameter control: receives control data; ``MessageInfo/controlLength`` tells how much. 320 bytes hold all that
  ///   UDP has; what does not fit is lost, and the flags say so.
  /// - Returns: as ``receive(into:_:flags:)``.
  /// - Throws: as ``receive(into:_:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, control: inout MutableRawSpan, _ info: inout MessageInfo,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, &control, &info, flags)
  }

  /// Receives one datagram with its control data, waiting on this thread until there is one.
  /// - Returns: the count in the buffer; 0 is an empty datagram.
  /// - Throws: `.shutDown`, `.timedOut`, `.cancelled` as ``receive(into:_:flags:until:)``, and as
  ///   ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, control: inout MutableRawSpan, _ info: inout MessageInfo,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &control, &info, flags)
    }
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableRawSpan, _ control: inout MutableRawSpan, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> Int? {
    let room = bytes.byteCount
    let result = attemptReceive(into: &bytes, control: &control, flags: flags, &info)
    if result.raw >= 0 {
      if info.controlLength != 0 && mayReceiveDescriptors { closePassedDescriptors(in: &control, info.controlLength) }
      return result.raw < room ? result.raw : room
    }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Receives one datagram and its sender, without waiting. Use ``receive(into:_:flags:)`` to learn of truncation too.
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
  /// - Returns: the count in the buffer; 0 is an empty datagram.
  /// - Throws: `.shutDown`, `.timedOut`, `.cancelled` as ``receive(into:_:flags:until:)``, and as
  ///   ``receive(into:_:flags:)``.
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
      // Not through a copy: an address of any family is large.
      sender = address.withOwnBytes { Address(sockaddr: $0) }
      return result.raw < room ? result.raw : room
    }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Sends one datagram, without waiting: whole or not at all.
  ///
  /// - Parameters:
  ///   - address: its receiver; for a connected socket use ``send(_:control:flags:)``.
  /// - Returns: the number of bytes sent; nil when there is no room now.
  /// - Throws: `.messageTooLarge`, `.unreachable`, `.permissionDenied` (broadcast needs the option),
  ///   `.connectionRefused` (an earlier one was), `.invalidArgument`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: Address, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = address.withBytes { attemptSend(bytes.bytes, control: RawSpan(), to: $0, flags: flags) }
    return try result.count(.send)
  }

  /// Sends one datagram with control data, encoded by ``OutgoingMetadata`` or ``ControlBuffer``.
  /// - Returns: as ``send(_:to:flags:)``.
  /// - Throws: as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, control: RawSpan, to address: Address, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = address.withBytes { attemptSend(bytes.bytes, control: control, to: $0, flags: flags) }
    return try result.count(.send)
  }

  /// Sends one datagram on a connected socket.
  /// - Returns: as ``send(_:to:flags:)``.
  /// - Throws: `.notConnected`, and as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, control: RawSpan = RawSpan(), flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try attemptSend(bytes.bytes, control: control, to: RawSpan(), flags: flags).count(.send)
  }

  /// Sends one datagram, waiting on this thread until there is room.
  ///
  /// A full Unix receiver is noticed to have room again within a millisecond, or within four when the wait has taken
  /// long, unless the socket is connected to it: then at once.
  /// - Parameter address: nil on a connected socket.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: Address?, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) {
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    try sendWaiting(bytes, receiver, flags, until: limit)
  }
}
