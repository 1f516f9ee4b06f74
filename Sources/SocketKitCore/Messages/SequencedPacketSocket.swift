/// Connected messages: in order, whole, with an end.
public protocol SequencedPacketSocket: MessageSocket, ~Copyable {
  /// Whether a received message of length 0 is the end of the connection. The default says yes unless something came with
  /// it, control data or the end-of-record flag: what a kernel has to tell an empty packet from the end by.
  ///
  /// ``SocketCapabilities/emptyMessages`` says whether the two can be told apart at all.
  static func isEnd(_ info: MessageInfo) -> Bool
}

extension SequencedPacketSocket where Self: ~Copyable {
  @inlinable
  public static func isEnd(_ info: MessageInfo) -> Bool {
    info.length == 0 && info.controlLength == 0 && info.flags.isEmpty
  }

  /// Receives one packet, without waiting.
  ///
  /// Descriptors that come along are closed: use `receive(into:descriptors:…)` of a Unix socket to have them.
  /// - Parameters:
  ///   - buffer: receives the front of the packet, which is lost beyond it: ``MessageInfo/isTruncated``.
  ///   - info: receives the packet's true length and flags.
  /// - Returns: `.bytes` with the count in the buffer (0 is an empty packet), `.wouldBlock`, or `.endOfStream`.
  /// - Throws: `.connectionReset`, `.notConnected`.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> IOOutcome {
    // Room for credentials, by which an empty packet is told from the end.
    var memory = InlineArray<64, UInt8>(repeating: 0)
    var span = memory.mutableSpan
    var control = span.mutableBytes
    var bytes = buffer.mutableBytes
    let room = bytes.byteCount
    let result = attemptReceive(into: &bytes, control: &control, flags: flags, &info)
    if result.raw > 0 || (result.raw == 0 && !Self.isEnd(info)) {
      if info.controlLength != 0 && mayReceiveDescriptors { closePassedDescriptors(in: &control, info.controlLength) }
      return .bytes(result.raw < room ? result.raw : room)
    }
    if result.raw == 0 { return .endOfStream }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .receive)
  }

  /// Sends one packet, without waiting: whole or not at all.
  /// - Returns: `.bytes` with its length, or `.wouldBlock`.
  /// - Throws: `.messageTooLarge`, `.brokenPipe`, `.connectionReset`, `.notConnected`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, control: RawSpan = RawSpan(), flags: SendFlags = []
  ) throws(SocketError) -> IOOutcome {
    try sendOutcome(attemptSend(bytes.bytes, control: control, to: RawSpan(), flags: flags))
  }
}
