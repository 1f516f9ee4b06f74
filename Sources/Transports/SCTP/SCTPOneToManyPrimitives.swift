public import CSocketKit
public import SocketKitCore

// These methods are the primitives of OneToManySocket.

extension SCTPOneToManySocket {
  /// Receives one message, a piece of a message, or the end of an association, without waiting.
  ///
  /// The association of a message is nil if the option ``SocketKitCore/SocketOption/receiveInfo`` was switched off.
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from association: inout SCTPAssociationID?, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    var memory = InlineArray<16, UInt64>(repeating: 0)
    while true {
      var words = memory.mutableSpan
      var ancillary = words.mutableIntegerBytes
      association = nil
      let result = descriptor.attemptReceiveMessage(
        into: &buffer, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
      if result.raw < 0 { return result }
      if !info.flags.contains(.notification) {
        association = SCTPReceiveInfo(ancillary: ancillary.bytes.extracting(first: info.ancillaryLength))?.association
        info.ancillaryLength = 0
        return result
      }
      let end = descriptor.associationEnd(
        buffer.span.extracting(first: result.raw), isComplete: info.flags.contains(.endOfRecord), flags, &association)
      if end.isInterrupted { continue }
      info = MessageInfo()
      info.flags = .notification
      return end
    }
  }

  /// Sends one message on stream 0 of an association, as a whole or not at all, without waiting.
  /// - Returns: the length of the message; EDESTADDRREQ if the ID does not identify one association; ESHUTDOWN
  ///   while the association is shutting down; EPIPE if it has ended; or another failure of sendmsg(2).
  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: Span<UInt8>, on association: SCTPAssociationID, flags: SendFlags
  ) -> IOResult {
    if !association.isOne { return .failure(errno: CSK_EDESTADDRREQ) }
    var ancillary = AncillaryBuffer<80>()
    do throws(SocketError) {
      try SCTPSendInfo(association: association).encode(into: &ancillary)
    } catch {
      return .failure(errno: CSK_EINVAL)
    }
    return descriptor.attemptSendMessage(bytes, ancillary: ancillary.bytes, to: RawSpan(), flags: flags)
  }

  /// Ends one association, without waiting (SCTP_EOF, SCTP_ABORT).
  /// - Returns: 0; EDESTADDRREQ if the ID does not identify one association; EPIPE if the association has ended; or
  ///   another failure of sendmsg(2).
  public borrowing func attemptEnd(_ association: SCTPAssociationID, gracefully: Bool) -> IOResult {
    if !association.isOne { return .failure(errno: CSK_EDESTADDRREQ) }
    return descriptor.attemptEnd(association, gracefully ? CSK_SCTP_EOF : CSK_SCTP_ABORT, reason: Span())
  }
}

extension RawDescriptor {
  /// Completes a notification that a receive call on a one-to-many socket returned.
  /// - Returns: 0 or a failure if the notification reports the end or the restart of an association; `association` is
  ///   then set. EINTR for any other notification, which is then removed from the queue, even with `.peek`.
  @usableFromInline @inline(never)
  func associationEnd(
    _ piece: Span<UInt8>, isComplete: Bool, _ flags: ReceiveFlags, _ association: inout SCTPAssociationID?
  ) -> IOResult {
    let isPeek = flags.contains(.peek)
    let notification =
      isPeek ? peekedNotification() : completeNotification(piece, isComplete: isComplete, flags)
    guard case .associationChange(let change) = notification, change.state != .up else {
      if isPeek { takePeekedNotification() }
      return .failure(errno: CSK_EINTR)
    }
    association = change.association
    switch change.state {
    case .up, .shutDown: return .zero
    case .cannotStart: return .failure(errno: CSK_ECONNREFUSED)
    // After a restart, messages may be missing. The peer has established a new association, which has the same number.
    case .lost, .restarted: return .failure(errno: CSK_ECONNRESET)
    }
  }

  /// Peeks at a notification again, because the caller's buffer may be too short for the notification.
  private func peekedNotification() -> SCTPNotification {
    var memory = InlineArray<160, UInt8>(repeating: 0)
    var room = memory.mutableSpan
    var none = MutableRawSpan()
    var info = MessageInfo()
    let result = attemptReceiveMessage(into: &room, ancillary: &none, flags: .peek, &info, descriptorsMayCome: false)
    return SCTPNotification(room.span.extracting(first: max(0, result.raw)))
  }
}
