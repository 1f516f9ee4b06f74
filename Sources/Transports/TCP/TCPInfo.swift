internal import CSocketKit
public import SocketKitCore

/// Kernel information about a connection: the fields of struct tcp_info (linux/tcp.h). Times are of type `Duration`.
///
/// Fields that the running kernel does not provide are zero; ``length`` is the number of bytes that the kernel wrote.
public struct TCPInfo: Hashable, Sendable {
  /// The connection's state.
  public var state: State
  /// The state of the congestion control algorithm.
  public var congestionState: CongestionState
  /// The number of consecutive retransmissions of the segment at the head of the queue.
  public var retransmits: UInt8
  /// The number of unanswered keep-alive or zero-window probes.
  public var probes: UInt8
  /// The number of times that the retransmission timeout has been doubled.
  public var backoff: UInt8
  /// Whether the connection uses timestamps (RFC 7323).
  public var hasTimestamps: Bool
  /// Whether the connection uses selective acknowledgements (RFC 2018).
  public var hasSelectiveAcknowledgement: Bool
  /// Whether window scaling is enabled. ``sendWindowScale`` and ``receiveWindowScale`` are the shift counts.
  public var hasWindowScale: Bool
  /// Whether both ends agreed to use explicit congestion notification (RFC 3168).
  public var hasECN: Bool
  /// Whether at least one packet with an ECN mark arrived from the peer (Linux 3.0).
  public var hasSeenECN: Bool
  /// Whether timestamps count microseconds on this connection (Linux 6.7).
  public var hasMicrosecondTimestamps: Bool
  /// Whether data in the SYN was acknowledged (fast open).
  public var fastOpenDataAccepted: Bool
  /// The window scale (RFC 7323) of the peer's advertised window: a shift count from 0 to 14.
  public var sendWindowScale: UInt8
  /// The window scale of the window that this end advertises: a shift count from 0 to 14.
  public var receiveWindowScale: UInt8
  /// Whether the sending application, rather than the network, limits the delivery rate.
  public var isDeliveryRateApplicationLimited: Bool
  /// Why fast-open data was not sent with the SYN, or was sent but not accepted (Linux 5.5).
  public var fastOpenFailure: FastOpenFailure
  /// The retransmission timeout.
  public var retransmissionTimeout: Duration
  /// The timeout of delayed acknowledgements.
  public var acknowledgementTimeout: Duration
  /// The maximum segment size for sending, in bytes.
  public var sendMaximumSegment: UInt32
  /// The maximum segment size for receiving, in bytes.
  public var receiveMaximumSegment: UInt32
  /// The number of segments sent and not acknowledged; on a listener, the number of connections that wait to be
  /// accepted.
  public var unacknowledged: UInt32
  /// The number of segments acknowledged selectively; on a listener, the backlog.
  public var selectivelyAcknowledged: UInt32
  /// The number of segments considered lost.
  public var lost: UInt32
  /// The number of segments retransmitted and not acknowledged yet.
  public var retransmitted: UInt32
  /// The time since data was last sent; the unit is milliseconds.
  public var sinceLastDataSent: Duration
  /// The time since data was last received; the unit is milliseconds.
  public var sinceLastDataReceived: Duration
  /// The time since an acknowledgement was last received; the unit is milliseconds.
  public var sinceLastAcknowledgementReceived: Duration
  /// The path MTU in bytes.
  public var pathMTU: UInt32
  /// The slow-start threshold of the receive window, in bytes.
  public var receiveSlowStartThreshold: UInt32
  /// The smoothed round-trip time.
  public var roundTripTime: Duration
  /// The mean deviation of the round-trip time.
  public var roundTripTimeVariation: Duration
  /// The slow-start threshold, in segments.
  public var slowStartThreshold: UInt32
  /// The congestion window, in segments.
  public var congestionWindow: UInt32
  /// The maximum segment size that this end advertises, in bytes.
  public var advertisedMaximumSegment: UInt32
  /// The number of segments that may be reordered before loss is assumed.
  public var reordering: UInt32
  /// The round-trip time as this end estimates it from the data that it receives.
  public var receiverRoundTripTime: Duration
  /// The receive buffer space that the kernel aims for, in bytes.
  public var receiveSpace: UInt32
  /// The number of segments retransmitted since the connection was opened.
  public var totalRetransmissions: UInt32
  /// The pacing rate, in bytes per second; `UInt64.max` means "unlimited".
  public var pacingRate: UInt64
  /// The maximum pacing rate, in bytes per second; `UInt64.max` means "unlimited".
  public var maximumPacingRate: UInt64
  /// The number of bytes sent and acknowledged (RFC 4898).
  public var bytesAcknowledged: UInt64
  /// The number of bytes received (RFC 4898).
  public var bytesReceived: UInt64
  /// The number of segments sent, with and without data, including retransmissions (RFC 4898).
  public var segmentsOut: UInt32
  /// The number of segments received, with and without data (RFC 4898).
  public var segmentsIn: UInt32
  /// The number of bytes in the send buffer that have not been sent.
  public var notSentBytes: UInt32
  /// The minimum round-trip time observed.
  public var minimumRoundTripTime: Duration
  /// The number of received segments that contain data (RFC 4898; Linux 4.6).
  public var dataSegmentsIn: UInt32
  /// The number of sent segments that contain data, including retransmissions (RFC 4898; Linux 4.6).
  public var dataSegmentsOut: UInt32
  /// The recent delivery rate, in bytes per second.
  public var deliveryRate: UInt64
  /// The time during which there was data to send.
  public var busyTime: Duration
  /// The part of ``busyTime`` during which the receiver's window limited sending.
  public var receiveWindowLimited: Duration
  /// The part of ``busyTime`` during which the send buffer limited sending.
  public var sendBufferLimited: Duration
  /// The number of segments delivered to the peer, including retransmissions.
  public var delivered: UInt32
  /// The number of delivered segments that had a congestion mark.
  public var deliveredWithECN: UInt32
  /// The number of bytes sent, including retransmissions.
  public var bytesSent: UInt64
  /// The number of bytes retransmitted.
  public var bytesRetransmitted: UInt64
  /// The number of duplicate segments that the peer reported.
  public var duplicateAcknowledgements: UInt32
  /// The number of times that the kernel observed reordering.
  public var reorderingsSeen: UInt32
  /// The number of segments received out of order.
  public var outOfOrder: UInt32
  /// The peer's window, in bytes.
  public var sendWindow: UInt32
  /// The local window, in bytes.
  public var receiveWindow: UInt32
  /// The number of times that the connection changed its flow label to take another path (Linux 6.2).
  public var rehashes: UInt32
  /// The number of times that the retransmission timer expired, including the timer of the SYN (Linux 6.7).
  public var retransmissionTimeouts: UInt16
  /// The number of recoveries after one or more consecutive expirations of the retransmission timer, including the
  /// current recovery (Linux 6.7).
  public var timeoutRecoveries: UInt16
  /// The total duration of the recoveries that ``timeoutRecoveries`` counts, including the current recovery (Linux
  /// 6.7).
  public var timeoutRecoveryTime: Duration
  /// The number of segments received with a congestion mark. This field and the following two require Linux 6.18.
  public var receivedWithCongestionMark: UInt32
  /// For each ECN codepoint, the number of sent bytes that arrived with it, as counted by accurate ECN (RFC 9768).
  public var deliveredMarks: MarkedBytes
  /// For each ECN codepoint, the number of received bytes that arrived with it, as counted by accurate ECN.
  public var receivedMarks: MarkedBytes
  /// The number of bytes that the kernel wrote: 104 on the oldest kernels, 248 since Linux 6.7, 280 since 6.18.
  public var length: Int

  init(_ bytes: RawSpan) {
    func u8(_ offset: Int) -> UInt8 {
      offset < bytes.byteCount ? bytes.integer(at: offset, as: UInt8.self) : 0
    }
    func u32(_ offset: Int) -> UInt32 {
      offset + 4 <= bytes.byteCount ? bytes.integer(at: offset, as: UInt32.self) : 0
    }
    func u64(_ offset: Int) -> UInt64 {
      offset + 8 <= bytes.byteCount ? bytes.integer(at: offset, as: UInt64.self) : 0
    }
    func microseconds(_ value: some BinaryInteger) -> Duration { .microseconds(Int64(clamping: value)) }
    func milliseconds(_ value: UInt32) -> Duration { .milliseconds(value) }
    func u16(_ offset: Int) -> UInt16 {
      offset + 2 <= bytes.byteCount ? bytes.integer(at: offset, as: UInt16.self) : 0
    }
    state = State(rawValue: u8(0))
    congestionState = CongestionState(rawValue: u8(1))
    retransmits = u8(2)
    probes = u8(3)
    backoff = u8(4)
    hasTimestamps = u8(5) & 1 != 0
    hasSelectiveAcknowledgement = u8(5) & 2 != 0
    hasWindowScale = u8(5) & 4 != 0
    hasECN = u8(5) & 8 != 0
    hasSeenECN = u8(5) & 16 != 0
    hasMicrosecondTimestamps = u8(5) & 64 != 0
    fastOpenDataAccepted = u8(5) & 32 != 0
    sendWindowScale = u8(6) & 15
    receiveWindowScale = u8(6) >> 4
    isDeliveryRateApplicationLimited = u8(7) & 1 != 0
    fastOpenFailure = FastOpenFailure(rawValue: u8(7) >> 1 & 3)
    retransmissionTimeout = microseconds(u32(8))
    acknowledgementTimeout = microseconds(u32(12))
    sendMaximumSegment = u32(16)
    receiveMaximumSegment = u32(20)
    unacknowledged = u32(24)
    selectivelyAcknowledged = u32(28)
    lost = u32(32)
    retransmitted = u32(36)
    // 40: fackets, unused since Linux 4.15
    sinceLastDataSent = milliseconds(u32(44))
    // 48: last_ack_sent, never filled
    sinceLastDataReceived = milliseconds(u32(52))
    sinceLastAcknowledgementReceived = milliseconds(u32(56))
    pathMTU = u32(60)
    receiveSlowStartThreshold = u32(64)
    roundTripTime = microseconds(u32(68))
    roundTripTimeVariation = microseconds(u32(72))
    slowStartThreshold = u32(76)
    congestionWindow = u32(80)
    advertisedMaximumSegment = u32(84)
    reordering = u32(88)
    receiverRoundTripTime = microseconds(u32(92))
    receiveSpace = u32(96)
    totalRetransmissions = u32(100)
    pacingRate = u64(104)
    maximumPacingRate = u64(112)
    bytesAcknowledged = u64(120)
    bytesReceived = u64(128)
    segmentsOut = u32(136)
    segmentsIn = u32(140)
    notSentBytes = u32(144)
    minimumRoundTripTime = microseconds(u32(148))
    dataSegmentsIn = u32(152)
    dataSegmentsOut = u32(156)
    deliveryRate = u64(160)
    busyTime = microseconds(u64(168))
    receiveWindowLimited = microseconds(u64(176))
    sendBufferLimited = microseconds(u64(184))
    delivered = u32(192)
    deliveredWithECN = u32(196)
    bytesSent = u64(200)
    bytesRetransmitted = u64(208)
    duplicateAcknowledgements = u32(216)
    reorderingsSeen = u32(220)
    outOfOrder = u32(224)
    sendWindow = u32(228)
    receiveWindow = u32(232)
    rehashes = u32(236)
    retransmissionTimeouts = u16(240)
    timeoutRecoveries = u16(242)
    timeoutRecoveryTime = milliseconds(u32(244))
    receivedWithCongestionMark = u32(248)
    deliveredMarks = MarkedBytes(ect1: u32(252), ect0: u32(256), congestionExperienced: u32(260))
    receivedMarks = MarkedBytes(ect1: u32(264), ect0: u32(268), congestionExperienced: u32(272))
    // 276: state of accurate ECN, whose layout Linux 6.19 changed
    length = bytes.byteCount
  }
}

extension ReadOnlySocketOption where Group: TCPOptions, Value == TCPInfo {
  /// Kernel information about the connection, or about a listener's backlog. The C name is `TCP_INFO`.
  public static var tcpInfo: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> TCPInfo in
      var memory = InlineArray<512, UInt8>(repeating: 0)
      var length = 0
      // The array consists of integers.
      let result = unsafe target.readOption(CSK_IPPROTO_TCP, CSK_TCP_INFO, intoStructure: &memory, &length)
      if result.isFailure { throw SocketError(result, .getOption) }
      return TCPInfo(memory.span.integerBytes.extracting(first: length))
    }
  }
}
