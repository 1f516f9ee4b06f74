internal import CSocketKit
public import SocketKitCore

// The options that a socket has as a whole (RFC 6458, 8.1), sorted by their C names.

extension SocketOption where Group == SCTPSocketOptions, Value == Bool {
  private init(_ name: Int32) { self.init(flag: name, level: CSK_IPPROTO_SCTP) }
  /// Tells peers of addresses that this host gains or loses (RFC 5061); for sockets that are bound to any address, with
  /// net.sctp.addip_enable. The C name is `SCTP_AUTO_ASCONF`.
  public static var automaticAddresses: Self { Self(CSK_SCTP_AUTO_ASCONF) }
  /// Refuses messages that do not fit one packet (`.messageTooLarge`) instead of sending them in fragments. Stream writes
  /// of a one-to-one socket then send less at a time. The C name is `SCTP_DISABLE_FRAGMENTS`.
  public static var disableFragments: Self { Self(CSK_SCTP_DISABLE_FRAGMENTS) }
  /// Lets parts of one association's long message come between those of another's, on a one-to-many socket. Linux knows
  /// only off and on: RFC 6458's level 2 reads as on. The C name is `SCTP_FRAGMENT_INTERLEAVE`.
  public static var fragmentInterleave: Self { Self(CSK_SCTP_FRAGMENT_INTERLEAVE) }
  /// On an IPv6 socket: IPv4 addresses read as `::ffff:a.b.c.d`, the default; otherwise as IPv4. The C name is
  /// `SCTP_I_WANT_MAPPED_V4_ADDR`.
  public static var mapIPv4: Self { Self(CSK_SCTP_I_WANT_MAPPED_V4_ADDR) }
  /// Sends small messages at once instead of collecting them while others are unacknowledged. Inherited by accepted
  /// sockets. Without it a stream of small writes waits for the peer's delayed acknowledgements, 200 ms each: set it on
  /// both ends unless that is wanted. The C name is `SCTP_NODELAY`.
  public static var noDelay: Self { Self(CSK_SCTP_NODELAY) }
  /// Lets several one-to-one sockets of one user bind to one address; set it on each before it is bound (Linux 4.20). The
  /// C name is `SCTP_REUSE_PORT`.
  public static var sharePort: Self { Self(CSK_SCTP_REUSE_PORT) }
}

extension SocketOption where Group == SCTPSocketOptions, Value == Int {
  /// Bytes of a message still arriving from which on the kernel delivers what is there, so that one message cannot fill
  /// the buffer for ever; at most half the receive buffer, 0 for the kernel's choice. The C name is
  /// `SCTP_PARTIAL_DELIVERY_POINT`.
  public static var partialDeliveryPoint: Self {
    Self(integer: CSK_SCTP_PARTIAL_DELIVERY_POINT, level: CSK_IPPROTO_SCTP)
  }
}

extension SocketOption where Group == SCTPSocketOptions, Value == UInt32 {
  /// A number that the peer is told when an association is made: which protocol speaks above SCTP (RFC 5061, 4.2.6). The
  /// peer gets it as a notification. The C name is `SCTP_ADAPTATION_LAYER`.
  public static var adaptationLayer: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> UInt32 in
        try target.sctpOption(CSK_SCTP_ADAPTATION_LAYER, asking: 0)
      },
      write: { (target: RawDescriptor, value: UInt32) throws(SocketError) in
        try target.setSCTPOption(CSK_SCTP_ADAPTATION_LAYER, to: value)
      })
  }
}

extension SocketOption where Group == SCTPSocketOptions, Value == Duration? {
  /// On a one-to-many socket: how long an association may be idle before the kernel shuts it down; whole seconds, rounded
  /// up, at least 1 and at most net.sctp.max_autoclose, silently; nil for ever. One-to-one sockets: `.notSupported`. The C
  /// name is `SCTP_AUTOCLOSE`.
  public static var autoclose: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration? in
        let seconds: UInt32 = try target.sctpOption(CSK_SCTP_AUTOCLOSE, asking: 0)
        return seconds == 0 ? nil : .seconds(seconds)
      },
      write: { (target: RawDescriptor, value: Duration?) throws(SocketError) in
        var seconds = 0 as UInt32
        if let value {
          seconds = try units(value, of: .seconds(1), upTo: UInt32(Int32.max))
          if seconds == 0 { throw SocketError(code: .invalidArgument, .setOption) }
        }
        try target.setSCTPOption(CSK_SCTP_AUTOCLOSE, to: seconds)
      })
  }
}

/// What a socket offers and asks for when an association begins (RFC 6458, 8.1.3): `SCTP_INITMSG`.
///
/// Setting a field to zero leaves it as it is.
public struct SCTPInitParameters: Hashable, Sendable {
  /// Streams to send on, asked of the peer; what both agree on is ``SCTPStatus/outgoingStreams``. Linux's default is 10.
  public var outgoingStreams: UInt16
  /// Streams that the peer may send on, at most. Linux's default is 65 535.
  public var maximumIncomingStreams: UInt16
  /// How often INIT is sent before connecting fails.
  public var maximumAttempts: UInt16
  /// The longest time between two of them: milliseconds, rounded up, up to 65 535.
  public var maximumTimeout: Duration

  public init(
    outgoingStreams: UInt16 = 0, maximumIncomingStreams: UInt16 = 0, maximumAttempts: UInt16 = 0,
    maximumTimeout: Duration = .zero
  ) {
    self.outgoingStreams = outgoingStreams
    self.maximumIncomingStreams = maximumIncomingStreams
    self.maximumAttempts = maximumAttempts
    self.maximumTimeout = maximumTimeout
  }
}

extension SocketOption where Group == SCTPSocketOptions, Value == SCTPInitParameters {
  /// Streams and patience of associations made later: set it before connecting or listening. The C name is
  /// `SCTP_INITMSG`.
  public static var initParameters: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> SCTPInitParameters in
        let value = try target.sctpOption(CSK_SCTP_INITMSG, asking: csk_sctp_initmsg())
        return SCTPInitParameters(
          outgoingStreams: value.outgoing_streams, maximumIncomingStreams: value.incoming_streams,
          maximumAttempts: value.attempts, maximumTimeout: .milliseconds(value.timeout))
      },
      write: { (target: RawDescriptor, value: SCTPInitParameters) throws(SocketError) in
        try target.setSCTPOption(
          CSK_SCTP_INITMSG,
          to: csk_sctp_initmsg(
            outgoing_streams: value.outgoingStreams, incoming_streams: value.maximumIncomingStreams,
            attempts: value.maximumAttempts,
            timeout: UInt16(try milliseconds(value.maximumTimeout, upTo: UInt32(UInt16.max)))))
      })
  }
}
