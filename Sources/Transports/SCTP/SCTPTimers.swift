internal import CSocketKit
internal import SocketKitCore

// The options of an association for its timers and counters. Times are converted to milliseconds for the kernel,
// rounded up.

/// The bounds of the retransmission timeout (RFC 6458, 8.1.1): `SCTP_RTOINFO`. A field that is set to zero is left
/// unchanged.
public struct SCTPRetransmissionTimeouts: Hashable, Sendable {
  /// The timeout before the round-trip time is known. Linux's default is 3 s.
  public var initial: Duration
  /// The shortest timeout. Linux's default is 1 s.
  public var minimum: Duration
  /// The longest timeout. Linux's default is 60 s.
  public var maximum: Duration

  /// Creates bounds. A field that is not given leaves the value unchanged.
  public init(initial: Duration = .zero, minimum: Duration = .zero, maximum: Duration = .zero) {
    self.initial = initial
    self.minimum = minimum
    self.maximum = maximum
  }
}

extension SCTPAssociationOption where Value == SCTPRetransmissionTimeouts {
  /// The bounds of the retransmission timeout. Setting throws `.invalidArgument` unless minimum ≤ maximum. The C name
  /// is `SCTP_RTOINFO`.
  public static var retransmissionTimeouts: Self {
    Self(
      read: { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
        let question = csk_sctp_rtoinfo(association: association.rawValue, initial: 0, maximum: 0, minimum: 0)
        let value = try target.sctpOption(CSK_SCTP_RTOINFO, asking: question)
        return SCTPRetransmissionTimeouts(
          initial: .milliseconds(value.initial), minimum: .milliseconds(value.minimum),
          maximum: .milliseconds(value.maximum))
      },
      write: { (target: RawDescriptor, association: SCTPAssociationID, value: Value) throws(SocketError) in
        try target.setSCTPOption(
          CSK_SCTP_RTOINFO,
          to: csk_sctp_rtoinfo(
            association: association.rawValue, initial: try milliseconds(value.initial),
            maximum: try milliseconds(value.maximum), minimum: try milliseconds(value.minimum)))
      })
  }
}

/// Further parameters of an association (RFC 6458, 8.1.2): `SCTP_ASSOCINFO`. A field that is set to zero is left
/// unchanged.
public struct SCTPAssociationParameters: Hashable, Sendable {
  /// The number of retransmissions, over all paths, after which the association is lost.
  ///
  /// The maximum is the sum of the paths' own numbers. Linux's default is 10.
  public var maximumRetransmissions: UInt16
  /// How long a cookie of this end is valid. Linux's default is 60 s.
  public var cookieLife: Duration
  /// The number of the peer's addresses. For reading only.
  public internal(set) var peerAddressCount: UInt16 = 0
  /// The peer's free receive buffer space in bytes. For reading only.
  public internal(set) var peerWindow: UInt32 = 0
  /// This end's free receive buffer space in bytes. For reading only.
  public internal(set) var localWindow: UInt32 = 0

  /// Creates parameters. A field that is not given leaves the value unchanged.
  public init(maximumRetransmissions: UInt16 = 0, cookieLife: Duration = .zero) {
    self.maximumRetransmissions = maximumRetransmissions
    self.cookieLife = cookieLife
  }
}

extension SCTPAssociationOption where Value == SCTPAssociationParameters {
  /// The number of retransmissions after which an association is lost, the life of cookies, and the windows. The C name
  /// is `SCTP_ASSOCINFO`.
  public static var associationParameters: Self {
    Self(
      read: { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
        var question = csk_sctp_assocparams()
        question.association = association.rawValue
        let value = try target.sctpOption(CSK_SCTP_ASSOCINFO, asking: question)
        var parameters = SCTPAssociationParameters(
          maximumRetransmissions: value.retransmissions, cookieLife: .milliseconds(value.cookie_life))
        parameters.peerAddressCount = value.peer_destinations
        parameters.peerWindow = value.peer_window
        parameters.localWindow = value.local_window
        return parameters
      },
      write: { (target: RawDescriptor, association: SCTPAssociationID, value: Value) throws(SocketError) in
        var parameters = csk_sctp_assocparams()
        parameters.association = association.rawValue
        parameters.retransmissions = value.maximumRetransmissions
        parameters.cookie_life = try milliseconds(value.cookieLife)
        try target.setSCTPOption(CSK_SCTP_ASSOCINFO, to: parameters)
      })
  }
}

/// The settings for delayed acknowledgements of received messages (RFC 6458, 8.1.19): `SCTP_DELAYED_SACK`.
public struct SCTPDelayedAcknowledgement: Hashable, Sendable {
  /// The longest delay, up to 500 ms; zero leaves the value unchanged. Linux's default is 200 ms.
  public var delay: Duration
  /// The number of packets after which an acknowledgement is sent; 0 leaves the value unchanged. Linux's default is 2.
  ///
  /// With 1, each packet is acknowledged immediately.
  public var packets: UInt32

  /// Creates settings. A field that is not given leaves the value unchanged.
  public init(delay: Duration = .zero, packets: UInt32 = 0) {
    self.delay = delay
    self.packets = packets
  }
}

extension SCTPAssociationOption where Value == SCTPDelayedAcknowledgement {
  /// The settings for delayed acknowledgements of received messages.
  ///
  /// If delayed acknowledgements are off, the option reads as a delay of zero and 1 packet. The C name is
  /// `SCTP_DELAYED_SACK`.
  public static var delayedAcknowledgement: Self {
    Self(
      read: { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
        let question = csk_sctp_sack_info(association: association.rawValue, delay: 0, frequency: 0)
        let value = try target.sctpOption(CSK_SCTP_DELAYED_SACK, asking: question)
        return SCTPDelayedAcknowledgement(delay: .milliseconds(value.delay), packets: value.frequency)
      },
      write: { (target: RawDescriptor, association: SCTPAssociationID, value: Value) throws(SocketError) in
        try target.setSCTPOption(
          CSK_SCTP_DELAYED_SACK,
          to: csk_sctp_sack_info(
            association: association.rawValue, delay: try milliseconds(value.delay), frequency: value.packets))
      })
  }
}
