internal import CSocketKit
internal import SocketKitCore

/// A kind of notification (RFC 6458, 6.1).
///
/// Each kind is switched on separately, with the option ``SCTPAssociationOption/event(_:)``. All are off by default,
/// except ``associationChange`` on an ``SCTPAssociationSocket``.
public struct SCTPEvent: RawRepresentable, Hashable, Sendable {
  /// The kernel's number of this kind. The first two bytes of a notification contain the number.
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  private init(_ number: Int32) { rawValue = UInt16(truncatingIfNeeded: number) }

  /// An association began or ended.
  public static let associationChange = Self(CSK_SCTP_ASSOC_CHANGE)
  /// A peer's address was added, was removed or changed its state.
  public static let peerAddressChange = Self(CSK_SCTP_PEER_ADDR_CHANGE)
  /// The old form of ``sendFailed``, without the flags of the message. If both are on, both are delivered.
  public static let oldSendFailed = Self(CSK_SCTP_SEND_FAILED)
  /// A peer reported an error.
  public static let remoteError = Self(CSK_SCTP_REMOTE_ERROR)
  /// A peer accepts no more messages: the association is shutting down.
  public static let shutdown = Self(CSK_SCTP_SHUTDOWN_EVENT)
  /// The rest of a message that was received in part will not arrive.
  public static let partialDelivery = Self(CSK_SCTP_PARTIAL_DELIVERY_EVENT)
  /// A peer announced the number of its adaptation layer (RFC 5061, 5.1).
  public static let adaptation = Self(CSK_SCTP_ADAPTATION_INDICATION)
  /// Authentication keys changed, or a peer does not authenticate.
  public static let authentication = Self(CSK_SCTP_AUTHENTICATION_EVENT)
  /// All sent data has been acknowledged. If no data is in transit when this kind is switched on, the notification is
  /// delivered immediately.
  public static let senderDry = Self(CSK_SCTP_SENDER_DRY_EVENT)
  /// Streams were reset (RFC 6525). Requires Linux 4.11.
  public static let streamReset = Self(CSK_SCTP_STREAM_RESET_EVENT)
  /// The whole association was reset (RFC 6525). Requires Linux 4.11.
  public static let associationReset = Self(CSK_SCTP_ASSOC_RESET_EVENT)
  /// Streams were added (RFC 6525). Requires Linux 4.11.
  public static let streamChange = Self(CSK_SCTP_STREAM_CHANGE_EVENT)
  /// A message could not be delivered and is returned. Requires Linux 5.5.
  public static let sendFailed = Self(CSK_SCTP_SEND_FAILED_EVENT)

  /// All kinds.
  public static let all: [SCTPEvent] = [
    .associationChange, .peerAddressChange, .oldSendFailed, .remoteError, .shutdown, .partialDelivery, .adaptation,
    .authentication, .senderDry, .streamReset, .associationReset, .streamChange, .sendFailed,
  ]
}

extension SCTPAssociationOption where Value == Bool {
  /// Whether a kind of notification is delivered.
  ///
  /// On a one-to-many socket, `.future` (the default) applies to future associations, `.current` to existing
  /// associations, and `.all` to both. Throws `.notSupported` on kernels before Linux 5.0. The C name is `SCTP_EVENT`.
  public static func event(_ event: SCTPEvent) -> Self {
    Self(
      CSK_SCTP_EVENT, question: { csk_sctp_event(association: $0.rawValue, type: event.rawValue, on: 0, padding: 0) },
      decode: { $0.on != 0 }, encode: { $1.on = $0 ? 1 : 0 })
  }
}

extension RawDescriptor {
  func attemptSetEvent(_ event: SCTPEvent, to isOn: Bool, for association: SCTPAssociationID) -> IOResult {
    let value = csk_sctp_event(
      association: association.rawValue, type: event.rawValue, on: isOn ? 1 : 0, padding: 0)
    return writeOption(CSK_IPPROTO_SCTP, CSK_SCTP_EVENT, value)
  }
}
