/// What SCTP tells beside messages (RFC 6458, 6.1), each kind only where it was switched on: ``SCTPEvent``.
public enum SCTPNotification: BitwiseCopyable, Hashable, Sendable {
  /// An association began or ended.
  case associationChange(SCTPAssociationChange)
  /// An address of the peer changed its state.
  case peerAddressChange(SCTPPeerAddressChange)
  /// The peer reports an error.
  case remoteError(SCTPRemoteError)
  /// A message could not be delivered, and comes back.
  case sendFailed(SCTPSendFailure)
  /// The peer wants no more messages: what is sent now fails, what was sent is still delivered.
  case shutdown(SCTPAssociationID)
  /// The rest of a message that was received in part will not come.
  case partialDelivery(SCTPPartialDelivery)
  /// The number of the peer's adaptation layer.
  case adaptation(UInt32, SCTPAssociationID)
  /// Something about keys.
  case authentication(SCTPAuthentication)
  /// Streams begin anew, or a wish for that was refused.
  case streamReset(SCTPStreamReset)
  /// The association begins anew, or a wish for that was refused.
  case associationReset(SCTPAssociationReset)
  /// Streams were added, or a wish for that was refused.
  case streamChange(SCTPStreamChange)
  /// Everything that was sent has been acknowledged.
  case senderDry(SCTPAssociationID)
  /// Of a type that is not known here, or too short for its type.
  case unknown(type: UInt16)

  /// Reads a notification. Any bytes may be given: what is too short for its type, or says so of itself, is `.unknown`.
  ///
  /// Ranges in what it gives are places in `bytes`.
  public init(_ bytes: RawSpan) { self = NotificationHead(bytes).notification }

  /// The association that it is about; nil where it is unknown.
  public var association: SCTPAssociationID? {
    switch self {
    case .associationChange(let change): change.association
    case .peerAddressChange(let change): change.association
    case .remoteError(let error): error.association
    case .sendFailed(let failure): failure.association
    case .shutdown(let association), .senderDry(let association), .adaptation(_, let association): association
    case .partialDelivery(let event): event.association
    case .authentication(let event): event.association
    case .streamReset(let reset): reset.association
    case .associationReset(let reset): reset.association
    case .streamChange(let change): change.association
    case .unknown: nil
    }
  }
}

/// Bytes of variable length at a notification's end: where they stand in the caller's buffer.
public struct SCTPNotificationBytes: BitwiseCopyable, Hashable, Sendable {
  let offset: UInt32
  let count: UInt32
  /// How many more there were, for which the buffer had no room: they are lost.
  public let missing: Int

  /// Where they stand.
  public var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
  public var isEmpty: Bool { count == 0 }
}
