internal import CSocketKit
internal import SocketKitCore
internal import SocketKitIP

/// The parameters of the paths to the peer's addresses (RFC 6458, 8.1.12): `SCTP_PEER_ADDR_PARAMS`.
///
/// Reading the option fills in every field, except that ``flowLabel`` and ``trafficClass`` are nil if they were not
/// set. Setting the option leaves the values of nil fields unchanged. The kernel counts time in ticks of 4 ms on most
/// systems, so the time that is read may be slightly longer than the time that was set.
public struct SCTPPathParameters: Hashable, Sendable {
  /// Whether an idle path is probed, and how often.
  @frozen
  public enum Heartbeat: Hashable, Sendable {
    /// Idle paths are not probed.
    case off
    /// The time between probes, rounded up to whole milliseconds; nil leaves it unchanged. The kernel adds the
    /// retransmission timeout to this time. Linux's default is 30 s.
    case on(every: Duration? = nil)
  }

  /// How the path's MTU is determined.
  @frozen
  public enum PathMTU: Hashable, Sendable {
    /// The kernel discovers the MTU. This is the default.
    case discovered
    /// A fixed MTU in bytes, at least 512; nil keeps the current MTU.
    case fixed(UInt32? = nil)
  }

  /// Whether acknowledgements are delayed, so that one acknowledgement covers more data.
  @frozen
  public enum DelayedAcknowledgements: Hashable, Sendable {
    /// Every packet is acknowledged immediately.
    case off
    /// The delay, rounded up to whole milliseconds, at most 500 ms; nil leaves it unchanged.
    case on(Duration? = nil)
  }

  /// Whether an idle path is probed, and how often.
  public var heartbeat: Heartbeat?
  /// The number of retransmissions after which the path counts as failed, at least 1. Linux's default is 5.
  public var maximumRetransmissions: UInt16?
  /// How the path's MTU is determined.
  public var pathMTU: PathMTU?
  /// Whether acknowledgements are delayed, and for how long.
  public var delayedAcknowledgements: DelayedAcknowledgements?
  /// The flow label of IPv6 packets, 20 bits (Linux 4.18).
  public var flowLabel: UInt32?
  /// The type-of-service or traffic-class byte. The kernel uses its upper six bits, the DSCP (Linux 4.18).
  public var trafficClass: UInt8?
  /// The path's MTU in bytes; 0 if these parameters are defaults and no MTU is set in them. This field is for reading
  /// only.
  public internal(set) var currentMTU: UInt32 = 0

  /// Creates parameters in which no field is set.
  public init() {}
}

extension SCTPPathOptions {
  /// The parameters of the paths. Reading `.paths` returns the initial values of all paths of the association. The C
  /// name is `SCTP_PEER_ADDR_PARAMS`.
  public var parameters: SCTPAssociationOption<SCTPPathParameters> {
    SCTPAssociationOption(
      CSK_SCTP_PEER_ADDR_PARAMS, question: { csk_sctp_paddrparams(of: $0, to: peer) },
      decode: { SCTPPathParameters($0) },
      encode: { (parameters: SCTPPathParameters, structure: inout csk_sctp_paddrparams) throws(SocketError) in
        try parameters.encode(into: &structure)
      })
  }
}

extension RawDescriptor {
  /// Probes a path immediately (SPP_HB_DEMAND).
  func sendHeartbeat(to peer: IPSocketAddress, of association: SCTPAssociationID) throws(SocketError) {
    var value = csk_sctp_paddrparams(of: association, to: peer)
    store(UInt32(CSK_SPP_HB_DEMAND), into: &value.flags)
    try setSCTPOption(CSK_SCTP_PEER_ADDR_PARAMS, to: value)
  }
}

extension SCTPPathParameters {
  init(_ value: csk_sctp_paddrparams) {
    let flags = Int32(bitPattern: word(value.flags))
    let interval = Duration.milliseconds(value.heartbeat_interval)
    heartbeat = flags & CSK_SPP_HB_ENABLE != 0 ? .on(every: interval) : .off
    maximumRetransmissions = value.retransmissions
    currentMTU = word(value.path_mtu)
    pathMTU = flags & CSK_SPP_PMTUD_ENABLE != 0 ? .discovered : .fixed(currentMTU)
    let delay = Duration.milliseconds(word(value.sack_delay))
    delayedAcknowledgements = flags & CSK_SPP_SACKDELAY_ENABLE != 0 ? .on(delay) : .off
    // A flag reports whether a value was set.
    flowLabel = flags & CSK_SPP_IPV6_FLOWLABEL != 0 ? word(value.flow_label) & 0xf_ffff : nil
    trafficClass = flags & CSK_SPP_DSCP != 0 ? value.traffic_class : nil
  }

  func encode(into value: inout csk_sctp_paddrparams) throws(SocketError) {
    var flags = 0 as Int32
    switch heartbeat {
    case nil: break
    case .off: flags |= CSK_SPP_HB_DISABLE
    case .on(let interval):
      flags |= CSK_SPP_HB_ENABLE
      if let interval {
        value.heartbeat_interval = try milliseconds(interval)
        if value.heartbeat_interval == 0 { flags |= CSK_SPP_HB_TIME_IS_ZERO }
      }
    }
    switch pathMTU {
    case nil: break
    case .discovered: flags |= CSK_SPP_PMTUD_ENABLE
    case .fixed(let size):
      flags |= CSK_SPP_PMTUD_DISABLE
      if let size { try storeNotZero(size, into: &value.path_mtu) }
    }
    switch delayedAcknowledgements {
    case nil: break
    case .off: flags |= CSK_SPP_SACKDELAY_DISABLE
    case .on(let delay):
      flags |= CSK_SPP_SACKDELAY_ENABLE
      if let delay { try storeNotZero(try milliseconds(delay), into: &value.sack_delay) }
    }
    if let maximumRetransmissions {
      if maximumRetransmissions == 0 { throw SocketError(code: .invalidArgument, .setOption) }
      value.retransmissions = maximumRetransmissions
    }
    if let flowLabel {
      if flowLabel > 0xf_ffff { throw SocketError(code: .invalidArgument, .setOption) }
      flags |= CSK_SPP_IPV6_FLOWLABEL
      store(flowLabel, into: &value.flow_label)
    }
    if let trafficClass {
      flags |= CSK_SPP_DSCP
      value.traffic_class = trafficClass
    }
    store(UInt32(bitPattern: flags), into: &value.flags)
  }

  /// Stores a number. Throws for zero, because the kernel would treat zero as a request to leave the value unchanged.
  private func storeNotZero(_ number: UInt32, into bytes: inout (UInt8, UInt8, UInt8, UInt8)) throws(SocketError) {
    if number == 0 { throw SocketError(code: .invalidArgument, .setOption) }
    store(number, into: &bytes)
  }
}

private func word(_ bytes: (UInt8, UInt8, UInt8, UInt8)) -> UInt32 {
  let copy: InlineArray<4, UInt8> = [bytes.0, bytes.1, bytes.2, bytes.3]
  return copy.span.integerBytes.integer(as: UInt32.self)
}

private func store(_ number: UInt32, into bytes: inout (UInt8, UInt8, UInt8, UInt8)) {
  let copy: InlineArray<1, UInt32> = [number]
  func byte(_ offset: Int) -> UInt8 { copy.span.integerBytes.integer(at: offset, as: UInt8.self) }
  bytes = (byte(0), byte(1), byte(2), byte(3))
}
