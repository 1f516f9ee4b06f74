/// A notification of SCTP (RFC 6458, 6.1). A kind of notification is delivered only if its ``SCTPEvent`` is switched
/// on.
public enum SCTPNotification: BitwiseCopyable, Hashable, Sendable {
  /// An association began or ended.
  case associationChange(SCTPAssociationChange)
  /// An address of the peer changed its state.
  case peerAddressChange(SCTPPeerAddressChange)
  /// The peer reported an error.
  case remoteError(SCTPRemoteError)
  /// A message could not be delivered and is returned.
  case sendFailed(SCTPSendFailure)
  /// The peer accepts no more messages: new sends fail, and messages already sent are still delivered.
  case shutdown(SCTPAssociationID)
  /// The rest of a message that was received in part will not arrive.
  case partialDelivery(SCTPPartialDelivery)
  /// The number of the peer's adaptation layer.
  case adaptation(UInt32, SCTPAssociationID)
  /// An event about authentication keys.
  case authentication(SCTPAuthentication)
  /// Streams were reset, or the request was refused.
  case streamReset(SCTPStreamReset)
  /// The association was reset, or the request was refused.
  case associationReset(SCTPAssociationReset)
  /// Streams were added, or the request was refused.
  case streamChange(SCTPStreamChange)
  /// All sent data has been acknowledged.
  case senderDry(SCTPAssociationID)
  /// A notification of an unknown type, or one that is too short for its type.
  case unknown(type: UInt16)

  /// Parses a notification from any bytes.
  ///
  /// The result is `.unknown` if there are too few bytes for the type, or if the length in the header is too small for
  /// the type. Ranges in the result are positions in `bytes`.
  public init(_ bytes: Span<UInt8>) { self = NotificationHead(bytes).notification }

  /// The association that the notification is about; nil if it is unknown.
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

/// The position, in the caller's buffer, of the variable-length bytes at the end of a notification.
public struct SCTPNotificationBytes: BitwiseCopyable, Hashable, Sendable {
  let offset: UInt32
  let count: UInt32
  /// The number of further bytes, which did not fit in the buffer and are lost.
  public let missing: Int

  /// The position of the bytes.
  public var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
  /// Whether the buffer contains no such bytes.
  public var isEmpty: Bool { count == 0 }
}
