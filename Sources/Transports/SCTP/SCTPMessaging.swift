public import SocketKitCore
public import SocketKitIP

/// A socket that sends and receives SCTP messages with their attributes: one-to-one, one-to-many or peeled off.
public protocol SCTPMessaging: Socket, OptionTarget, ~Copyable where Options == SCTPSocketOptions {
  /// How many associations the socket has.
  static var style: SCTPStyle { get }
}

extension SCTPMessaging where Self: ~Copyable {
  /// Sends one message, as a whole or not at all, without waiting.
  ///
  /// - Parameters:
  ///   - info: how to send the message; on a one-to-many socket, also the association.
  ///   - flags: ``/SocketKitCore/SendFlags/more`` delays the message so that later messages can share its packet.
  /// - Returns: the length of the message; nil if there is no buffer space now.
  /// - Throws: `.destinationRequired` if the socket is a one-to-many socket and `info` contains no association;
  ///   `.brokenPipe` (with ESHUTDOWN while the association is shutting down, with EPIPE after its end);
  ///   `.connectionReset`, or `.timedOut` with ETIMEDOUT, if the association was lost (each is thrown once);
  ///   `.messageTooLarge` for a message that is longer than the send buffer; `.invalidArgument` (an empty message, no
  ///   such stream, or no such key).
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, info: SCTPSendInfo, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    if Self.style == .oneToMany, !info.association.isOne { throw SocketError(code: .destinationRequired, .send) }
    var ancillary = AncillaryBuffer<80>()
    try info.encode(into: &ancillary)
    let result = descriptor.attemptSendMessage(
      bytes, ancillary: ancillary.bytes, to: RawSpan(), flags: flags)
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    if Self.style == .oneToOne { descriptor.noteFailure(result) }
    throw SocketError(result, .send)
  }

  /// Sends one message, waiting on this thread for buffer space.
  /// - Returns: the length of the message.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(_:info:flags:)``.
  @inlinable @discardableResult
  public borrowing func send(
    _ bytes: Span<UInt8>, info: SCTPSendInfo, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try waiting(for: .writable, .send, until: limit) { (socket) throws(SocketError) in
      try socket.send(bytes, info: info, flags: flags)
    }
  }

  /// Receives one message, a piece of a message, or a notification, without waiting.
  ///
  /// A message longer than the buffer is not truncated: the next calls return the rest of the message first. A
  /// notification longer than the buffer is truncated: the rest of the notification is lost, and
  /// ``SCTPNotificationBytes/missing`` is the number of lost bytes. Receive from one thread only, because otherwise
  /// different threads could receive pieces of one message.
  ///
  /// If the sender abandons a message, the rest of that message never arrives, and another message follows.
  /// ``SCTPMessageAssembler`` handles this and assembles whole messages.
  ///
  /// - Parameters:
  ///   - buffer: receives the bytes. With an empty buffer, the call receives no bytes of a message.
  ///   - flags: ``/SocketKitCore/ReceiveFlags/peek`` leaves the message in the queue.
  /// - Returns: a message, a notification or the end of the stream; nil if there is nothing to receive now.
  /// - Throws: `.connectionReset`, `.timedOut` with ETIMEDOUT (the peer no longer answers); each of these two is thrown
  ///   once, and later receive calls return the end of the stream; `.notConnected`.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, flags: ReceiveFlags = []
  ) throws(SocketError) -> SCTPArrival? {
    var bytes = buffer
    return try receive(bytes: &bytes, flags)
  }

  @inlinable
  borrowing func receive(
    bytes: inout MutableSpan<UInt8>, _ flags: ReceiveFlags
  ) throws(SocketError) -> SCTPArrival? {
    var memory = InlineArray<16, UInt64>(repeating: 0)
    var words = memory.mutableSpan
    var ancillary = words.mutableIntegerBytes
    var info = MessageInfo()
    let result = descriptor.attemptReceiveMessage(
      into: &bytes, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
    if result.raw < 0 {
      if result.isWouldBlock { return nil }
      if Self.style == .oneToOne { descriptor.noteFailure(result) }
      throw SocketError(result, .receive)
    }
    if info.flags.contains(.notification) {
      let notification = descriptor.completeNotification(
        bytes.span.extracting(first: result.raw), isComplete: info.flags.contains(.endOfRecord), flags)
      if Self.style == .peeledOff { descriptor.noteEnd(notification, flags) }
      return .notification(notification)
    }
    if result.raw == 0, info.ancillaryLength == 0, info.flags.isEmpty, descriptor.hasEnded(bytes.count) {
      return .endOfStream
    }
    return .message(
      SCTPMessage(
        count: result.raw, ancillary: ancillary.bytes.extracting(first: info.ancillaryLength),
        source: info.address.withBytes { IPSocketAddress(sockaddr: $0) }, info.flags))
  }

  /// Receives one message, a piece of a message, or a notification, waiting on this thread until one arrives.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receive(into:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> SCTPArrival {
    var bytes = buffer
    return try waiting(for: .readable, .receive, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, flags)
    }
  }
}

extension SCTPSocket: SCTPMessaging {
  @inlinable public static var style: SCTPStyle { .oneToOne }
}
