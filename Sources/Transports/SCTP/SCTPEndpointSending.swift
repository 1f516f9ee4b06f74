public import CSocketKit
public import SocketKitCore

// Messages to an address, and batches. To an association: `send(_:info:)` of ``SCTPMessaging``.

extension SCTPEndpoint {
  /// Sends one message to an address, without waiting; the first one begins an association with it.
  ///
  /// That does not wait for the peer: when nobody is there, ``SCTPNotification/associationChange(_:)`` and
  /// ``SCTPNotification/sendFailed(_:)`` say so later.
  /// - Parameters:
  ///   - address: one of the peer's addresses. Messages go by the primary path all the same, unless
  ///     ``SCTPSendInfo/overridesPrimary`` is set.
  ///   - info: how; its association is not looked at.
  /// - Returns: its length; nil when there is no room now.
  /// - Throws: `.unreachable`, `.invalidArgument` (an empty message, no such stream, an address of the other IP version),
  ///   `.messageTooLarge`, `.brokenPipe` (the association shuts down), `.addressNotAvailable`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: IPSocketAddress, info: SCTPSendInfo = SCTPSendInfo(), flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    var control = ControlBuffer<80>()
    try info.encode(into: &control)
    let result = control.withBytes { extra in
      address.withBytes { descriptor.attemptSendMessage(bytes.bytes, control: extra, to: $0, flags: flags) }
    }
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .send)
  }

  /// Sends one message to an address, waiting on this thread until there is room for it.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:to:info:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: IPSocketAddress, info: SCTPSendInfo = SCTPSendInfo(), flags: SendFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) {
    _ = try waiting(for: .writable, .send, until: limit) { (socket) throws(SocketError) in
      try socket.send(bytes, to: address, info: info, flags: flags)
    }
  }

  /// Sends the batch's messages that have not been sent, without waiting, with one system call.
  /// - Throws: `.destinationRequired` when one has neither an address nor an association, before any is sent; and as
  ///   `send(batch:)` of ``MessageSocket``.
  @inlinable
  public borrowing func send(batch: inout MessageBatch) throws(SocketError) -> Int? {
    if batch.sent == batch.count { return 0 }
    try batch.checkDestinations()
    let result = attemptSend(batch: &batch)
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .send)
  }

  /// Sends all messages of the batch that have not been sent, waiting on this thread for room.
  /// - Throws: `.destinationRequired` when one has neither an address nor an association, before any is sent;
  ///   `.timedOut`, `.cancelled`, and as ``send(batch:)``. ``MessageBatch/sent`` counts those that were sent before.
  @inlinable
  public borrowing func send(
    batch: inout MessageBatch, until limit: some WaitLimit
  ) throws(SocketError) {
    if batch.sent == batch.count { return }
    try batch.checkDestinations()
    var wait = try WaitOperation(.send, until: limit)
    while true {
      let result = attemptSend(batch: &batch)
      if result.raw >= 0 {
        if batch.sent == batch.count { return }
        wait.progressed()
        try wait.check()
        continue
      }
      if !result.isWouldBlock { throw SocketError(result, .send) }
      try wait.block(on: writeSource, for: .writable)
    }
  }

  /// Sends one message, without waiting. A message with neither an address nor an association fails with EDESTADDRREQ,
  /// in place of the kernel's EPIPE.
  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: RawSpan, control: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    let result = descriptor.attemptSendMessage(bytes, control: control, to: address, flags: flags)
    if result.raw == 0 &- Int(CSK_EPIPE), address.isEmpty, !namesAssociation(control) {
      return .failure(errno: CSK_EDESTADDRREQ)
    }
    return result
  }

  /// Sends the messages of a batch that have not been sent, without waiting. The first that has neither an address nor
  /// an association fails with EDESTADDRREQ, in place of the kernel's EPIPE.
  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    let result = descriptor.attemptSend(batch: &batch)
    if result.raw == 0 &- Int(CSK_EPIPE), !batch.hasDestination(at: batch.sent) {
      return .failure(errno: CSK_EDESTADDRREQ)
    }
    return result
  }
}

extension SCTPEndpoint {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    descriptor.attemptReceiveMessage(
      into: &buffer, control: &control, flags: flags, &info, descriptorsMayCome: false)
  }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    descriptor.attemptReceive(batch: &batch, descriptorsMayCome: false)
  }
}

extension MessageBatch {
  /// What a message of SCTP in the batch is: ``SCTPArrival/message(_:)``, or a notification. 80 bytes of
  /// ``controlCapacity`` hold its ``SCTPReceiveInfo`` and ``SCTPNextInfo``.
  ///
  /// A notification that is longer than ``messageCapacity`` comes in pieces, of which only the first is read: give batches
  /// of endpoints with notifications room for the longest message and 48 bytes.
  public func sctpMessage(at slot: Int) -> SCTPArrival {
    let flags = flags(at: slot)
    if flags.contains(.notification) { return .notification(withBytes(at: slot) { SCTPNotification($0) }) }
    var message = SCTPMessage(count: byteCount(at: slot), isComplete: flags.contains(.endOfRecord))
    withControl(at: slot) { control in
      message.info = SCTPReceiveInfo(control: control)
      message.next = SCTPNextInfo(control: control)
    }
    message.source = IPSocketAddress(address(at: slot))
    return .message(message)
  }

  /// Adds a message of SCTP to send. 80 bytes of ``controlCapacity`` hold any ``SCTPSendInfo``.
  /// - Parameter address: its receiver; nil where the info names the association, or there is only one.
  /// - Throws: `.capacityExceeded` when the batch is full, or the message or the info has no room; nothing is added
  ///   then.
  public mutating func append(
    _ bytes: Span<UInt8>, to address: IPSocketAddress? = nil, info: SCTPSendInfo
  ) throws(SocketError) {
    var control = ControlBuffer<80>()
    try info.encode(into: &control)
    if control.byteCount > controlCapacity { throw SocketError(code: .capacityExceeded, .send) }
    try append(bytes, to: address)
    let slot = count - 1
    try control.withBytes { extra throws(SocketError) in try setControl(extra, at: slot) }
  }

  /// Has a message that was received go back by its association, on the same stream and with the same payload protocol.
  /// - Throws: `.capacityExceeded` when ``controlCapacity`` is less than 56.
  public mutating func replySCTP(at slot: Int) throws(SocketError) {
    guard let received = withControl(at: slot, { SCTPReceiveInfo(control: $0) }) else { return }
    var info = SCTPSendInfo(
      stream: received.stream, payloadProtocol: received.payloadProtocol, association: received.association)
    info.isUnordered = received.isUnordered
    var control = ControlBuffer<80>()
    try info.encode(into: &control)
    try control.withBytes { extra throws(SocketError) in try setControl(extra, at: slot) }
  }

  /// - Throws: `.destinationRequired` when a message that has not been sent has neither an address nor an association.
  @usableFromInline
  func checkDestinations() throws(SocketError) {
    var slot = sent
    while slot < count {
      if !hasDestination(at: slot) { throw SocketError(code: .destinationRequired, .send) }
      slot &+= 1
    }
  }

  /// Whether a message on a one-to-many socket says whom it is for.
  @usableFromInline
  func hasDestination(at slot: Int) -> Bool {
    address(at: slot).byteCount > 0 || withControl(at: slot) { namesAssociation($0) }
  }
}

/// Whether control data to send names an association of a one-to-many socket.
@usableFromInline
func namesAssociation(_ control: RawSpan) -> Bool {
  var found = false
  ControlData.forEach(in: control) { level, type, data in
    guard level == CSK_IPPROTO_SCTP, type == CSK_SCTP_CMSG_SNDINFO, data.byteCount >= 16 else { return }
    found = SCTPAssociationID(rawValue: data.unsafeLoadUnaligned(fromByteOffset: 12, as: Int32.self)).isOne
  }
  return found
}
