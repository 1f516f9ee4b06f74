public import CSocketKit
public import SocketKitCore

/// A socket that sends and receives messages of SCTP with what belongs to them: one-to-one, one-to-many or peeled off.
public protocol SCTPMessaging: Socket, OptionTarget, ~Copyable where Options == SCTPSocketOptions {
  /// How many associations it has.
  static var style: SCTPStyle { get }
}

extension SCTPMessaging where Self: ~Copyable {
  /// Sends one message, without waiting: whole or not at all.
  ///
  /// - Parameters:
  ///   - info: how; on a one-to-many socket also by which association.
  ///   - flags: ``SendFlags/more`` holds it back for others to join it.
  /// - Returns: its length; nil when there is no room now.
  /// - Throws: `.destinationRequired` when a one-to-many socket's message names no association; `.brokenPipe` (the
  ///   association has ended, or is shutting down), `.connectionReset` and `.timedOut` with ETIMEDOUT (it was lost;
  ///   each once), `.messageTooLarge` (longer than the send buffer), `.invalidArgument` (an empty message, no such
  ///   stream, or no such key).
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, info: SCTPSendInfo, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    if Self.style == .oneToMany, !info.association.isOne { throw SocketError(code: .destinationRequired, .send) }
    var control = ControlBuffer<80>()
    try info.encode(into: &control)
    let result = control.withBytes {
      descriptor.attemptSendMessage(bytes.bytes, control: $0, to: RawSpan(), flags: flags)
    }
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    if Self.style == .oneToOne { descriptor.noteFailure(result) }
    throw SocketError(result, .send)
  }

  /// Sends one message, waiting on this thread until there is room for it.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:info:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, info: SCTPSendInfo, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) {
    _ = try waiting(for: .writable, .send, until: limit) { (socket) throws(SocketError) in
      try socket.send(bytes, info: info, flags: flags)
    }
  }

  /// Receives one message, a piece of one, or a notification, without waiting.
  ///
  /// A message longer than the buffer is not cut: its rest comes with the next calls, before anything else. A notification
  /// longer than the buffer is: what has no room is lost, and ``SCTPNotificationBytes/missing`` counts it. Have one thread
  /// receive, or pieces go to different ones.
  ///
  /// When the sender abandons a message, its rest never comes, and another message follows: see
  /// ``SCTPMessageAssembler``, which assembles whole messages.
  ///
  /// - Parameters:
  ///   - buffer: receives the bytes; with an empty one nothing is taken of a message.
  ///   - flags: ``ReceiveFlags/peek`` leaves it there.
  /// - Returns: a message, a notification or the end; nil when there is nothing to receive now.
  /// - Throws: `.connectionReset`, `.timedOut` with ETIMEDOUT (the peer no longer answers), each once, and then the end
  ///   of the stream; `.notConnected`.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, flags: ReceiveFlags = []
  ) throws(SocketError) -> SCTPArrival? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, flags)
  }

  @inlinable
  borrowing func receive(
    bytes: inout MutableRawSpan, _ flags: ReceiveFlags
  ) throws(SocketError) -> SCTPArrival? {
    var memory = InlineArray<16, UInt64>(repeating: 0)
    var words = memory.mutableSpan
    var control = words.mutableBytes
    var info = MessageInfo()
    let result = descriptor.attemptReceiveMessage(
      into: &bytes, control: &control, flags: flags, &info, descriptorsMayCome: false)
    if result.raw < 0 {
      if result.isWouldBlock { return nil }
      if Self.style == .oneToOne { descriptor.noteFailure(result) }
      throw SocketError(result, .receive)
    }
    if info.flags.contains(.notification) {
      let notification = descriptor.completeNotification(
        bytes.bytes.extracting(first: result.raw), isComplete: info.flags.contains(.endOfRecord), flags)
      if Self.style == .peeledOff { descriptor.noteEnd(notification, flags) }
      return .notification(notification)
    }
    if result.raw == 0, info.controlLength == 0, info.flags.isEmpty, descriptor.hasEnded(bytes.byteCount) {
      return .endOfStream
    }
    let extra = control.bytes.extracting(first: info.controlLength)
    var message = SCTPMessage(count: result.raw, isComplete: info.flags.contains(.endOfRecord))
    ControlData.forEach(in: extra) { level, type, data in
      guard level == CSK_IPPROTO_SCTP else { return }
      if type == CSK_SCTP_CMSG_RCVINFO { message.info = SCTPReceiveInfo(data) }
      if type == CSK_SCTP_CMSG_NXTINFO { message.next = SCTPNextInfo(data) }
    }
    message.source = info.address.withBytes { IPSocketAddress(sockaddr: $0) }
    return .message(message)
  }

  /// Receives one message, a piece of one, or a notification, waiting on this thread until there is one.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(into:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> SCTPArrival {
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, flags)
    }
  }

  /// Has what the kernel says of messages come with them: ``SCTPMessage/info`` (SCTP_RECVRCVINFO), and
  /// ``SCTPMessage/next`` (SCTP_RECVNXTINFO). One-to-many and peeled-off sockets have the first from the beginning.
  /// - Throws: `.closed`.
  public borrowing func receiveInfo(_ isOn: Bool, next: Bool = false) throws(SocketError) {
    try descriptor.setSCTPFlag(CSK_SCTP_RECVRCVINFO, to: isOn)
    try descriptor.setSCTPFlag(CSK_SCTP_RECVNXTINFO, to: next)
  }
}

extension SCTPSocket: SCTPMessaging {
  @inlinable public static var style: SCTPStyle { .oneToOne }
}
