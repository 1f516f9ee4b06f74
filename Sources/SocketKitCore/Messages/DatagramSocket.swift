/// Datagrams: no connection is needed, each message finds its own way, and none has an end.
///
/// A socket may be connected all the same: then it sends to that one address, hears only from it, and hears of ICMP errors.
public protocol DatagramSocket: MessageSocket, ~Copyable {}

/// What receiving many came to.
@frozen
public enum BatchOutcome: BitwiseCopyable, Hashable, Sendable {
  /// So many messages were moved: at least 1, or 0 when there were none to send.
  case messages(Int)
  /// None can be moved now.
  case wouldBlock
  /// The peer sends no more: of connected messages, never of datagrams.
  case endOfStream
}

extension DatagramSocket where Self: ~Copyable {
  /// Receives one datagram, without waiting.
  ///
  /// - Parameters:
  ///   - buffer: receives the front of the datagram; an empty buffer takes a datagram and drops its bytes.
  ///   - info: receives the true length, whether the datagram was truncated, and the sender.
  /// - Returns: `.bytes` with the count in the buffer (0 is an empty datagram), or `.wouldBlock`; never `.endOfStream`.
  /// - Throws: what an earlier send brought back, such as `.connectionRefused` on a connected socket.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> IOOutcome {
    var none = MutableRawSpan()
    return try receive(into: buffer, control: &none, &info, flags: flags)
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
  ) throws(SocketError) -> IOOutcome {
    var bytes = buffer.mutableBytes
    let room = bytes.byteCount
    let result = attemptReceive(into: &bytes, control: &control, flags: flags, &info)
    if result.raw >= 0 {
      if info.controlLength != 0 && mayReceiveDescriptors { closePassedDescriptors(in: &control, info.controlLength) }
      return .bytes(result.raw < room ? result.raw : room)
    }
    if result.isWouldBlock { return .wouldBlock }
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
  ) throws(SocketError) -> IOOutcome {
    var bytes = buffer.mutableBytes
    let room = bytes.byteCount
    var address = AnySocketAddress()
    let result = attemptReceive(into: &bytes, from: &address, flags: [])
    if result.raw >= 0 {
      // Not through a copy: an address of any family is large.
      sender = address.withOwnBytes { Address(sockaddr: $0) }
      return .bytes(result.raw < room ? result.raw : room)
    }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .receive)
  }

  /// Sends one datagram, without waiting: whole or not at all.
  ///
  /// - Parameters:
  ///   - address: its receiver; for a connected socket use ``send(_:control:flags:)``.
  /// - Returns: `.bytes` with the count, or `.wouldBlock`.
  /// - Throws: `.messageTooLarge`, `.unreachable`, `.permissionDenied` (broadcast needs the option), `.connectionRefused`
  ///   (an earlier one was), `.invalidArgument`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: Address, flags: SendFlags = []
  ) throws(SocketError) -> IOOutcome {
    let result = address.withBytes { attemptSend(bytes.bytes, control: RawSpan(), to: $0, flags: flags) }
    return try sendOutcome(result)
  }

  /// Sends one datagram with control data, encoded by ``OutgoingMetadata`` or ``ControlBuffer``.
  /// - Returns: as ``send(_:to:flags:)``.
  /// - Throws: as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, control: RawSpan, to address: Address, flags: SendFlags = []
  ) throws(SocketError) -> IOOutcome {
    let result = address.withBytes { attemptSend(bytes.bytes, control: control, to: $0, flags: flags) }
    return try sendOutcome(result)
  }

  /// Sends one datagram on a connected socket.
  /// - Returns: as ``send(_:to:flags:)``.
  /// - Throws: `.notConnected`, and as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, control: RawSpan = RawSpan(), flags: SendFlags = []
  ) throws(SocketError) -> IOOutcome {
    try sendOutcome(attemptSend(bytes.bytes, control: control, to: RawSpan(), flags: flags))
  }
}

extension MessageSocket where Self: ~Copyable {
  /// Takes the end of the connection out of a batch of so many messages: the kernel reports it as empty ones, one for each
  /// free slot. How many messages came before it.
  @inlinable @inline(__always)
  func dropEnd(of batch: inout MessageBatch, _ number: Int) -> Int {
    // Where the last message is none, or has bytes, there was no end.
    if batch.isEmpty || batch.fullLength(at: batch.count &- 1) != 0 { return number }
    var left = number
    while !batch.isEmpty, batch.fullLength(at: batch.count &- 1) == 0, Self.isEnd(batch.info(at: batch.count &- 1)) {
      batch.removeLast()
      left &-= 1
    }
    return left
  }

  @inlinable
  func sendOutcome(_ result: IOResult) throws(SocketError) -> IOOutcome {
    if result.raw >= 0 { return .bytes(result.raw) }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .send)
  }

  /// Receives as many messages as there are and fit, without waiting, with one system call on kernel sockets.
  ///
  /// - Parameter batch: emptied first.
  /// - Returns: `.messages` with their number, at least 1, `.wouldBlock`, or `.endOfStream` for ``SequencedPacketSocket``.
  /// - Throws: what the first receive failed with.
  @inlinable
  public borrowing func receive(batch: inout MessageBatch) throws(SocketError) -> BatchOutcome {
    let result = attemptReceive(batch: &batch)
    if result.raw > 0 {
      let number = dropEnd(of: &batch, result.raw)
      return number > 0 ? .messages(number) : .endOfStream
    }
    if result.raw == 0 { return .messages(0) }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .receive)
  }

  /// Sends the batch's messages that have not been sent, without waiting, with one system call on kernel sockets.
  ///
  /// - Returns: `.messages` with how many the kernel took, perhaps fewer than there are: call again; `.wouldBlock` when it
  ///   takes none now. ``MessageBatch/sent`` keeps count.
  /// - Throws: what the first unsent message failed with; those before it are sent. Skip it with
  ///   ``MessageBatch/markSent(_:)`` to go on.
  @inlinable
  public borrowing func send(batch: inout MessageBatch) throws(SocketError) -> BatchOutcome {
    if batch.sent == batch.count { return .messages(0) }
    let result = attemptSend(batch: &batch)
    if result.raw >= 0 { return .messages(result.raw) }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .send)
  }
}
