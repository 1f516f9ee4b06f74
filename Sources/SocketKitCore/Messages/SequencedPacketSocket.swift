/// A connected socket that delivers messages whole and in order, and reports the end of the connection.
public protocol SequencedPacketSocket: MessageSocket, ConnectedSocket, ~Copyable {
  /// Returns whether a received message of length 0 is the end of the connection. The default returns true unless the
  /// message has ancillary data or flags, such as end-of-record. Only these distinguish an empty packet from the end.
  ///
  /// ``SocketCapabilities/emptyMessages`` is set when the socket can distinguish the two.
  static func isEnd(_ info: MessageInfo) -> Bool
}

extension SequencedPacketSocket where Self: ~Copyable {
  @inlinable
  public static func isEnd(_ info: MessageInfo) -> Bool {
    info.length == 0 && info.ancillaryLength == 0 && info.flags.isEmpty
  }

  /// Receives one packet, without waiting.
  ///
  /// The call closes received descriptors. To get descriptors, use `receive(into:descriptors:…)` of a Unix socket.
  /// - Parameters:
  ///   - buffer: receives the first bytes of the packet. Bytes that do not fit are lost: ``MessageInfo/isTruncated``.
  ///   - info: receives the packet's full length and flags.
  /// - Returns: `.bytes` with the number of bytes in the buffer (0 for an empty packet), `.endOfStream`, or nil when no
  ///   packet is available.
  /// - Throws: `.connectionReset`, `.notConnected`.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, &info, flags)
  }

  /// Receives one packet, waiting on this thread until there is one.
  /// - Returns: `.bytes` with the number of bytes in the buffer, or `.endOfStream`.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &info, flags)
    }
  }

  @inlinable
  borrowing func receive(
    bytes: inout MutableRawSpan, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    // Room for credentials, which distinguish an empty packet from the end.
    var memory = InlineArray<64, UInt8>(repeating: 0)
    var span = memory.mutableSpan
    var ancillary = span.mutableBytes
    let room = bytes.byteCount
    let result = attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
    if result.raw > 0 || (result.raw == 0 && !Self.isEnd(info)) {
      if info.ancillaryLength != 0 && mayReceiveDescriptors {
        closePassedDescriptors(in: &ancillary, info.ancillaryLength)
      }
      return .bytes(result.raw < room ? result.raw : room)
    }
    return try result.readOutcome(.receive)
  }

  /// Sends one packet, as a whole or not at all, without waiting.
  /// - Returns: the length of the packet; nil when the call would block.
  /// - Throws: `.messageTooLarge`, `.brokenPipe`, `.connectionReset`, `.notConnected`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try attemptSend(bytes.bytes, ancillary: ancillary, to: RawSpan(), flags: flags).count(.send)
  }

  /// Sends one packet, waiting on this thread until there is room for it.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:ancillary:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) {
    try sendWaiting(bytes, AnySocketAddress(), flags, until: limit)
  }
}
