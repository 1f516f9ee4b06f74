internal import CSocketKit
public import SocketKitCore

/// A kind of notification (RFC 6458, 6.1), each switched on by itself; all are off at first, except
/// ``associationChange`` on an ``SCTPAssociationSocket``.
public struct SCTPEvent: RawRepresentable, Hashable, Sendable {
  /// The kernel's number, as in a notification's first two bytes.
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  private init(_ number: Int32) { rawValue = UInt16(truncatingIfNeeded: number) }

  /// Associations begin and end.
  public static let associationChange = Self(CSK_SCTP_ASSOC_CHANGE)
  /// An address of a peer comes, goes or changes its state.
  public static let peerAddressChange = Self(CSK_SCTP_PEER_ADDR_CHANGE)
  /// The old form of ``sendFailed``: it has no message's flags. Where both are on, both come.
  public static let oldSendFailed = Self(CSK_SCTP_SEND_FAILED)
  /// A peer reports an error.
  public static let remoteError = Self(CSK_SCTP_REMOTE_ERROR)
  /// A peer wants no more messages: the association shuts down.
  public static let shutdown = Self(CSK_SCTP_SHUTDOWN_EVENT)
  /// The rest of a message that has been received in part will not come.
  public static let partialDelivery = Self(CSK_SCTP_PARTIAL_DELIVERY_EVENT)
  /// A peer's adaptation layer (RFC 5061, 5.1).
  public static let adaptation = Self(CSK_SCTP_ADAPTATION_INDICATION)
  /// Keys for authentication, or that the peer has none.
  public static let authentication = Self(CSK_SCTP_AUTHENTICATION_EVENT)
  /// Everything that was sent has been acknowledged. Switched on while nothing is under way, it comes at once.
  public static let senderDry = Self(CSK_SCTP_SENDER_DRY_EVENT)
  /// Streams begin anew (RFC 6525). Linux 4.11.
  public static let streamReset = Self(CSK_SCTP_STREAM_RESET_EVENT)
  /// The whole association begins anew (RFC 6525). Linux 4.11.
  public static let associationReset = Self(CSK_SCTP_ASSOC_RESET_EVENT)
  /// Streams were added (RFC 6525). Linux 4.11.
  public static let streamChange = Self(CSK_SCTP_STREAM_CHANGE_EVENT)
  /// A message could not be delivered, and comes back. Linux 5.5.
  public static let sendFailed = Self(CSK_SCTP_SEND_FAILED_EVENT)

  /// All of them.
  public static let all: [SCTPEvent] = [
    .associationChange, .peerAddressChange, .oldSendFailed, .remoteError, .shutdown, .partialDelivery, .adaptation,
    .authentication, .senderDry, .streamReset, .associationReset, .streamChange, .sendFailed,
  ]
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Switches one kind of notification on or off (SCTP_EVENT, Linux 5.0).
  /// - Parameter association: whose, on a one-to-many socket: one's, `.future` for those to come, `.current` for those that
  ///   are, or `.all`.
  /// - Throws: `.invalidArgument` (no such association), `.notSupported` (an older kernel), `.closed`.
  public borrowing func setEvent(
    _ event: SCTPEvent, to isOn: Bool, for association: SCTPAssociationID = .all
  ) throws(SocketError) {
    let result = descriptor.attemptSetEvent(event, to: isOn, for: association)
    if result.isFailure { throw SocketError(result, .setOption) }
  }

  /// Whether a kind of notification is on.
  /// - Parameter association: whose: one's, or `.future` for those to come.
  /// - Throws: as ``setEvent(_:to:for:)``.
  public borrowing func isEventOn(
    _ event: SCTPEvent, for association: SCTPAssociationID = .future
  ) throws(SocketError) -> Bool {
    var value = csk_sctp_event(association: association.rawValue, type: event.rawValue, on: 0, padding: 0)
    var length = UInt32(MemoryLayout<csk_sctp_event>.size)
    let result = IOResult(
      raw: csk_getsockopt(descriptor.value, CSK_IPPROTO_SCTP, CSK_SCTP_EVENT, &value, &length))
    if result.isFailure { throw SocketError(result, .getOption) }
    return value.on != 0
  }
}

extension RawDescriptor {
  func attemptSetEvent(_ event: SCTPEvent, to isOn: Bool, for association: SCTPAssociationID) -> IOResult {
    var value = csk_sctp_event(
      association: association.rawValue, type: event.rawValue, on: isOn ? 1 : 0, padding: 0)
    return IOResult(
      raw: csk_setsockopt(
        self.value, CSK_IPPROTO_SCTP, CSK_SCTP_EVENT, &value, UInt32(MemoryLayout<csk_sctp_event>.size)))
  }
}
