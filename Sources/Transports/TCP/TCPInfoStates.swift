extension TCPInfo {
  /// A connection's state (RFC 9293, 3.3.2). The raw values are the kernel's numbers (include/net/tcp_states.h).
  @frozen
  public struct State: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Data can flow in both directions (TCP_ESTABLISHED).
    @inlinable public static var established: Self { Self(rawValue: 1) }
    /// The socket is connecting, and the peer has not answered yet (TCP_SYN_SENT).
    @inlinable public static var synSent: Self { Self(rawValue: 2) }
    /// The kernel has answered the peer's SYN (TCP_SYN_RECV).
    @inlinable public static var synReceived: Self { Self(rawValue: 3) }
    /// The local end has closed its side; the peer has not acknowledged this yet (TCP_FIN_WAIT1).
    @inlinable public static var finWait1: Self { Self(rawValue: 4) }
    /// The local end has closed its side, and the peer has acknowledged this (TCP_FIN_WAIT2).
    @inlinable public static var finWait2: Self { Self(rawValue: 5) }
    /// Both ends have closed their sides. The state prevents late packets from reaching a new connection
    /// (TCP_TIME_WAIT).
    @inlinable public static var timeWait: Self { Self(rawValue: 6) }
    /// The socket is not connected (TCP_CLOSE).
    @inlinable public static var closed: Self { Self(rawValue: 7) }
    /// The peer has closed its side (TCP_CLOSE_WAIT).
    @inlinable public static var closeWait: Self { Self(rawValue: 8) }
    /// The peer closed its side first, then the local end did; the peer has not acknowledged this yet (TCP_LAST_ACK).
    @inlinable public static var lastAcknowledgement: Self { Self(rawValue: 9) }
    /// The socket is a listener (TCP_LISTEN).
    @inlinable public static var listening: Self { Self(rawValue: 10) }
    /// Both ends closed their sides at the same time; the peer has not acknowledged this yet (TCP_CLOSING).
    @inlinable public static var closing: Self { Self(rawValue: 11) }
  }

  /// The state of the congestion control algorithm (enum tcp_ca_state of linux/tcp.h).
  @frozen
  public struct CongestionState: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Normal operation (TCP_CA_Open).
    @inlinable public static var open: Self { Self(rawValue: 0) }
    /// Duplicate or selective acknowledgements arrived, which may indicate loss (TCP_CA_Disorder).
    @inlinable public static var disorder: Self { Self(rawValue: 1) }
    /// The window is being reduced because a congestion mark arrived or a local queue was full (TCP_CA_CWR).
    @inlinable public static var windowReduced: Self { Self(rawValue: 2) }
    /// Lost segments are being retransmitted (TCP_CA_Recovery).
    @inlinable public static var recovery: Self { Self(rawValue: 3) }
    /// The retransmission timer expired (TCP_CA_Loss).
    @inlinable public static var loss: Self { Self(rawValue: 4) }
  }

  /// Why fast open failed to deliver data with the SYN (enum tcp_fastopen_client_fail of linux/tcp.h, Linux 5.5).
  @frozen
  public struct FastOpenFailure: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// No failure is known, or fast open was not requested (TFO_STATUS_UNSPEC).
    @inlinable public static var none: Self { Self(rawValue: 0) }
    /// This host has no cookie for the peer (TFO_COOKIE_UNAVAILABLE). The first connection to a peer requests a cookie.
    @inlinable public static var cookieUnavailable: Self { Self(rawValue: 1) }
    /// The peer did not accept the data sent with the SYN (TFO_DATA_NOT_ACKED).
    @inlinable public static var dataNotAcknowledged: Self { Self(rawValue: 2) }
    /// The SYN was retransmitted, and the peer did not accept the data sent with it (TFO_SYN_RETRANSMITTED).
    @inlinable public static var synRetransmitted: Self { Self(rawValue: 3) }
  }

  /// Byte counts of accurate ECN: one count for each ECN codepoint (RFC 3168, 5).
  @frozen
  public struct MarkedBytes: BitwiseCopyable, Hashable, Sendable {
    /// ECT(1).
    public var ect1: UInt32
    /// ECT(0).
    public var ect0: UInt32
    /// CE: a router was congested.
    public var congestionExperienced: UInt32
  }
}

extension TCPInfo.State: CustomStringConvertible {
  /// The name of the state in RFC 9293.
  public var description: String {
    let names = [
      "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED", "CLOSE-WAIT",
      "LAST-ACK", "LISTEN", "CLOSING",
    ]
    return names.indices.contains(Int(rawValue) - 1) ? names[Int(rawValue) - 1] : "state \(rawValue)"
  }
}
