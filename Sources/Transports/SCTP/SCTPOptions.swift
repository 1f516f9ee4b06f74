internal import CSocketKit
public import SocketKitCore
internal import SocketKitIP

// The options of a whole socket (RFC 6458, 8.1), sorted by their C names.

extension SocketOption where Group == SCTPSocketOptions, Value == Bool {
  private init(_ name: Int32) { self.init(flag: name, level: CSK_IPPROTO_SCTP) }
  /// Announces to peers the addresses that this host gains or loses (RFC 5061).
  ///
  /// The option applies to sockets that are bound to the wildcard address. It requires net.sctp.addip_enable. The C
  /// name is `SCTP_AUTO_ASCONF`.
  public static var automaticAddresses: Self { Self(CSK_SCTP_AUTO_ASCONF) }
  /// Rejects messages that do not fit in one packet (`.messageTooLarge`) instead of fragmenting them.
  ///
  /// Stream writes of a one-to-one socket then send fewer bytes at a time. The C name is `SCTP_DISABLE_FRAGMENTS`.
  public static var disableFragments: Self { Self(CSK_SCTP_DISABLE_FRAGMENTS) }
  /// Permits pieces of long messages from different associations to alternate on a one-to-many socket.
  ///
  /// Linux supports only the values off and on, and treats level 2 of RFC 6458 as on. The C name is
  /// `SCTP_FRAGMENT_INTERLEAVE`.
  public static var fragmentInterleave: Self { Self(CSK_SCTP_FRAGMENT_INTERLEAVE) }
  /// Whether an IPv6 socket maps the IPv4 addresses that it returns to the form `::ffff:a.b.c.d`. The default is on.
  /// The C name is `SCTP_I_WANT_MAPPED_V4_ADDR`.
  public static var mapIPv4: Self { Self(CSK_SCTP_I_WANT_MAPPED_V4_ADDR) }
  /// Sends small messages immediately instead of collecting them while earlier messages are unacknowledged.
  ///
  /// Accepted sockets inherit the option. Without the option, a sequence of small writes waits for the peer's delayed
  /// acknowledgements, 200 ms each. Set the option on both ends unless such delays are acceptable. The C name is
  /// `SCTP_NODELAY`.
  public static var noDelay: Self { Self(CSK_SCTP_NODELAY) }
  /// Whether the kernel provides, with each received message, the attributes of the next message:
  /// ``SCTPMessage/next``. The C name is `SCTP_RECVNXTINFO`.
  public static var receiveNextInfo: Self { Self(CSK_SCTP_RECVNXTINFO) }
  /// Whether the kernel provides the attributes of each received message: ``SCTPMessage/info``. It is on by default on
  /// one-to-many and peeled-off sockets. The C name is `SCTP_RECVRCVINFO`.
  public static var receiveInfo: Self { Self(CSK_SCTP_RECVRCVINFO) }
  /// Permits several one-to-one sockets of one user to bind to the same address.
  ///
  /// Set the option on each socket before the socket is bound (Linux 4.20). The C name is `SCTP_REUSE_PORT`.
  public static var sharePort: Self { Self(CSK_SCTP_REUSE_PORT) }
}

extension SocketOption where Group == SCTPSocketOptions, Value == Int {
  /// The number of bytes of an incomplete message at which the kernel starts to deliver the message.
  ///
  /// Early delivery prevents an incomplete message from filling the receive buffer forever. The maximum is half the
  /// receive buffer; 0 lets the kernel choose. The C name is `SCTP_PARTIAL_DELIVERY_POINT`.
  public static var partialDeliveryPoint: Self {
    Self(integer: CSK_SCTP_PARTIAL_DELIVERY_POINT, level: CSK_IPPROTO_SCTP)
  }
}

extension SocketOption where Group == SCTPSocketOptions, Value == UInt32 {
  /// A number that this end sends to the peer when an association is established, to identify the protocol above SCTP
  /// (RFC 5061, 4.2.6).
  ///
  /// The peer receives the number as a notification. The C name is `SCTP_ADAPTATION_LAYER`.
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
  /// The time for which an association of a one-to-many socket may be idle before the kernel shuts the association
  /// down; nil for no limit.
  ///
  /// The time is rounded up to whole seconds and is at least 1 second. The kernel silently limits the value to
  /// net.sctp.max_autoclose. One-to-one sockets throw `.notSupported`. The C name is `SCTP_AUTOCLOSE`.
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

/// The parameters that a socket offers and requests when it establishes an association (RFC 6458, 8.1.3):
/// `SCTP_INITMSG`.
///
/// When the option is set, a field that is zero leaves the kernel's value unchanged.
public struct SCTPInitParameters: Hashable, Sendable {
  /// The number of outgoing streams to request from the peer. Linux's default is 10.
  ///
  /// The number that both ends agree on is ``SCTPStatus/outgoingStreams``.
  public var outgoingStreams: UInt16
  /// The maximum number of streams that the peer may send on. Linux's default is 65 535.
  public var maximumIncomingStreams: UInt16
  /// The number of times that INIT is sent before connecting fails.
  public var maximumAttempts: UInt16
  /// The maximum time between two INIT chunks, rounded up to whole milliseconds. The largest value is 65 535 ms.
  public var maximumTimeout: Duration

  /// Creates parameters. A field that is not given leaves the value unchanged.
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
  /// The numbers of streams and the connect timeouts of future associations. Set the option before connecting or
  /// listening. The C name is `SCTP_INITMSG`.
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
