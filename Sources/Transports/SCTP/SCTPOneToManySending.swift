public import CSocketKit
public import SocketKitCore
public import SocketKitIP

// These methods send to an address, and send batches. `send(_:info:)` of ``SCTPMessaging`` sends to an association.

extension SCTPOneToManySocket {
  /// Sends one message to an address, without waiting. The first message to an address starts an association with that
  /// address.
  ///
  /// The call does not wait for the peer. If nothing is listening at the address,
  /// ``SCTPNotification/associationChange(_:)`` and ``SCTPNotification/sendFailed(_:)`` report the failure later.
  /// - Parameters:
  ///   - address: one of the peer's addresses. Messages use the primary path regardless of this address, unless
  ///     ``SCTPSendInfo/overridesPrimary`` is set.
  ///   - info: how to send the message; its association is ignored.
  /// - Returns: the length of the message; nil if there is no buffer space now.
  /// - Throws: `.unreachable`, `.invalidArgument` (an empty message, no such stream, an address of the other IP
  ///   version), `.messageTooLarge`, `.brokenPipe` with ESHUTDOWN (the association is shutting down),
  ///   `.addressNotAvailable`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: IPSocketAddress, info: SCTPSendInfo = SCTPSendInfo(), flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    var ancillary = AncillaryBuffer<80>()
    try info.encode(into: &ancillary)
    let result = address.withBytes {
      descriptor.attemptSendMessage(bytes, ancillary: ancillary.bytes, to: $0, flags: flags)
    }
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .send)
  }

  /// Sends one message to an address, waiting on this thread for buffer space.
  /// - Returns: the length of the message.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(_:to:info:flags:)``.
  @inlinable @discardableResult
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: IPSocketAddress, info: SCTPSendInfo = SCTPSendInfo(), flags: SendFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try waiting(for: .writable, .send, until: limit) { (socket) throws(SocketError) in
      try socket.send(bytes, to: address, info: info, flags: flags)
    }
  }

  /// Sends one message, without waiting.
  ///
  /// If the message has neither an address nor an association, the call returns EDESTADDRREQ instead of the kernel's
  /// EPIPE.
  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    let result = descriptor.attemptSendMessage(bytes, ancillary: ancillary, to: address, flags: flags)
    if result.raw == 0 &- Int(CSK_EPIPE), address.isEmpty, !namesAssociation(ancillary) {
      return .failure(errno: CSK_EDESTADDRREQ)
    }
    return result
  }

  /// Sends the unsent messages of a batch, without waiting.
  ///
  /// If the first unsent message has neither an address nor an association, the call returns EDESTADDRREQ instead of
  /// the kernel's EPIPE.
  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    let result = descriptor.attemptSend(batch: &batch)
    if result.raw == 0 &- Int(CSK_EPIPE), !batch.hasDestination(at: batch.sent) {
      return .failure(errno: CSK_EDESTADDRREQ)
    }
    return result
  }
}

extension SCTPOneToManySocket {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    descriptor.attemptReceiveMessage(
      into: &buffer, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
  }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    descriptor.attemptReceive(batch: &batch, descriptorsMayCome: false)
  }
}

extension MessageBatch {
  /// Sends the unsent messages on a one-to-many socket with one system call, without waiting.
  /// - Throws: `.destinationRequired`, before any message is sent, if a message has neither an address nor an
  ///   association; and the errors that `send(on:)` throws for other sockets.
  @inlinable
  public mutating func send(on socket: borrowing SCTPOneToManySocket) throws(SocketError) -> Int? {
    try checkDestinations()
    return try sendChecked(on: socket)
  }

  /// Sends all unsent messages on a one-to-many socket, waiting on this thread for buffer space.
  /// - Returns: the number of messages that the call sent.
  /// - Throws: `.destinationRequired`, before any message is sent, if a message has neither an address nor an
  ///   association; `.timedOut`, `.cancelled`, and the errors of ``send(on:)``. On failure,
  ///   ``/SocketKitCore/MessageBatch/sent`` counts the messages that were sent.
  @inlinable @discardableResult
  public mutating func send(
    on socket: borrowing SCTPOneToManySocket, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try checkDestinations()
    return try sendChecked(on: socket, until: limit)
  }

  // These functions are generic, so that they call `send(on:)` and `send(on:until:)` for every `MessageSocket` instead
  // of the methods above.

  @inlinable
  mutating func sendChecked<S: MessageSocket & ~Copyable>(on socket: borrowing S) throws(SocketError) -> Int? {
    try send(on: socket)
  }

  @inlinable
  mutating func sendChecked<S: MessageSocket & ~Copyable>(
    on socket: borrowing S, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try send(on: socket, until: limit)
  }

  /// Returns the SCTP message or notification in a slot of the batch.
  ///
  /// An ``/SocketKitCore/MessageBatch/ancillaryCapacity`` of 80 bytes is enough for the ``SCTPReceiveInfo`` and the
  /// ``SCTPNextInfo`` of an ``SCTPArrival/message(_:)``.
  ///
  /// A notification longer than ``/SocketKitCore/MessageBatch/messageCapacity`` arrives in pieces, of which only the
  /// first is read. If a socket has notifications switched on, give its batches a capacity of at least the longest
  /// message plus 48 bytes.
  public func sctpMessage(at slot: Int) -> SCTPArrival {
    let received = self[slot]
    if received.flags.contains(.notification) { return .notification(SCTPNotification(received.bytes)) }
    return .message(
      SCTPMessage(
        count: received.byteCount, ancillary: received.ancillary, source: IPSocketAddress(received.address),
        received.flags))
  }

  /// Appends an SCTP message to send. An ``/SocketKitCore/MessageBatch/ancillaryCapacity`` of 80 bytes is enough for
  /// any ``SCTPSendInfo``.
  /// - Parameter address: the receiver's address; nil if `info` contains the association, or if the socket has only one
  ///   association.
  /// - Throws: `.capacityExceeded` if the batch is full, or if the message or the info does not fit. On failure,
  ///   nothing is appended.
  public mutating func append(
    _ bytes: Span<UInt8>, to address: IPSocketAddress? = nil, info: SCTPSendInfo
  ) throws(SocketError) {
    var ancillary = AncillaryBuffer<80>()
    try info.encode(into: &ancillary)
    if ancillary.byteCount > ancillaryCapacity { throw SocketError(code: .capacityExceeded, .send) }
    try append(bytes, to: address)
    let slot = count - 1
    try setAncillary(ancillary.bytes, at: slot)
  }

  /// Turns a received message into a reply to its association, on the same stream and with the same payload protocol.
  /// - Throws: `.capacityExceeded` if ``/SocketKitCore/MessageBatch/ancillaryCapacity`` is less than 56.
  public mutating func replySCTP(at slot: Int) throws(SocketError) {
    guard let received = SCTPReceiveInfo(ancillary: self[slot].ancillary) else { return }
    var info = SCTPSendInfo(
      stream: received.stream, payloadProtocol: received.payloadProtocol, association: received.association)
    info.isUnordered = received.isUnordered
    var ancillary = AncillaryBuffer<80>()
    try info.encode(into: &ancillary)
    try setAncillary(ancillary.bytes, at: slot)
  }

  /// Checks that every unsent message has a destination.
  /// - Throws: `.destinationRequired` if an unsent message has neither an address nor an association.
  @usableFromInline
  func checkDestinations() throws(SocketError) {
    var slot = sent
    while slot < count {
      if !hasDestination(at: slot) { throw SocketError(code: .destinationRequired, .send) }
      slot &+= 1
    }
  }

  /// Whether a message on a one-to-many socket has a destination.
  @usableFromInline
  func hasDestination(at slot: Int) -> Bool {
    self[slot].address.byteCount > 0 || namesAssociation(self[slot].ancillary)
  }
}

/// Whether ancillary data for sending contains an association of a one-to-many socket.
@usableFromInline
func namesAssociation(_ ancillary: RawSpan) -> Bool {
  var found = false
  AncillaryData.forEach(in: ancillary) { level, type, data in
    guard level == CSK_IPPROTO_SCTP, type == CSK_SCTP_CMSG_SNDINFO, data.byteCount >= 16 else { return }
    found = SCTPAssociationID(rawValue: data.integer(at: 12, as: Int32.self)).isOne
  }
  return found
}
