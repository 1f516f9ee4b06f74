internal import CSocketKit
internal import SocketKitCore

// Options for the timers and counters of an association. Times are rounded up to whole milliseconds for the kernel.

/// The bounds of the retransmission timeout (RFC 6458, 8.1.1): `SCTP_RTOINFO`. When the option is set, a field that is
/// zero leaves the kernel's value unchanged.
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
  /// The bounds of the retransmission timeout. Setting the option throws `.invalidArgument` unless minimum ≤ maximum.
  /// The C name is `SCTP_RTOINFO`.
  public static var retransmissionTimeouts: Self {
    Self(
      CSK_SCTP_RTOINFO,
      decode: {
        Value(
          initial: .milliseconds($0.initial), minimum: .milliseconds($0.minimum), maximum: .milliseconds($0.maximum))
      },
      encode: { (value: Value, structure: inout csk_sctp_rtoinfo) throws(SocketError) in
        structure.initial = try milliseconds(value.initial)
        structure.minimum = try milliseconds(value.minimum)
        structure.maximum = try milliseconds(value.maximum)
      })
  }
}

/// Further parameters of an association (RFC 6458, 8.1.2): `SCTP_ASSOCINFO`. When the option is set, a field that is
/// zero leaves the kernel's value unchanged.
public struct SCTPAssociationParameters: Hashable, Sendable {
  /// The number of retransmissions, over all paths, after which the association is lost.
  ///
  /// The maximum is the sum of the ``SCTPPathParameters/maximumRetransmissions`` of all paths. Linux's default is 10.
  public var maximumRetransmissions: UInt16
  /// The time for which a cookie of this end is valid. Linux's default is 60 s.
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
      CSK_SCTP_ASSOCINFO,
      decode: {
        var value = Value(maximumRetransmissions: $0.retransmissions, cookieLife: .milliseconds($0.cookie_life))
        value.peerAddressCount = $0.peer_destinations
        value.peerWindow = $0.peer_window
        value.localWindow = $0.local_window
        return value
      },
      encode: { (value: Value, structure: inout csk_sctp_assocparams) throws(SocketError) in
        structure.retransmissions = value.maximumRetransmissions
        structure.cookie_life = try milliseconds(value.cookieLife)
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
      CSK_SCTP_DELAYED_SACK, decode: { Value(delay: .milliseconds($0.delay), packets: $0.frequency) },
      encode: { (value: Value, structure: inout csk_sctp_sack_info) throws(SocketError) in
        structure.delay = try milliseconds(value.delay)
        structure.frequency = value.packets
      })
  }
}
