public import CSocketKit

/// Information that the kernel reports about a received packet when the socket options that request it are set. It is
/// read from the ancillary data of a message, without allocation. Unknown ancillary messages are skipped.
@frozen
public struct PacketMetadata: BitwiseCopyable, Hashable, Sendable {
  /// The address that the packet was sent to, with port 0 (IP_PKTINFO, IPV6_PKTINFO: option `.packetInfo`). For an IPv4
  /// packet it is an IPv4 address, also on a dual-stack socket, although the sender's address is IPv4-mapped there.
  public var destination: IPSocketAddress?
  /// The index of the interface that received the packet; 0 when unknown (option `.packetInfo`).
  public var interfaceIndex: UInt32 = 0
  // ipi_spec_dst, in host byte order; 0 for none.
  @usableFromInline var localBits: UInt32 = 0
  /// The time to live or the hop limit (option `.receiveHopLimit`).
  public var hopLimit: UInt8?
  /// The type-of-service or traffic-class byte (option `.receiveTrafficClass`).
  public var trafficClass: UInt8?
  /// The time when the kernel received the packet, in nanoseconds since 1970 on the system's clock (options
  /// `.timestamps`, `.nanosecondTimestamps`). With `.timestampingFlags` it is the software timestamp or, without one,
  /// the timestamp of the device, which uses the device's clock. From the error queue it is the time when the packet
  /// was sent.
  public var timestamp: Int64?
  /// The size in bytes of the datagrams that were coalesced into this message; the last may be shorter (UDP_GRO). nil
  /// when the message is one datagram.
  public var segmentSize: Int?
  /// The number of packets that the socket has dropped so far because it had no room (option `.dropCount`).
  public var dropCount: UInt32?
  /// The entry of the error queue (option `.receiveErrors`, flag ``ReceiveFlags/errorQueue``).
  public var error: ExtendedError?
  /// The address and port that the packet was sent to, from its own headers. For a packet that was redirected to this
  /// socket (TPROXY) it is the destination before the redirection (IP_ORIGDSTADDR, IPV6_ORIGDSTADDR: option
  /// `.receiveOriginalDestination`). For an IPv4 packet it is an IPv4 address, also on a dual-stack socket.
  public var originalDestination: IPSocketAddress?
  /// The notice that a packet was too large for its path (IPV6_PATHMTU: option `.receivePathMTU`). When this is not
  /// nil, the message is a notice and not a datagram.
  public var pathMTU: PathMTUNotice?

  @inlinable
  init() {}

  /// The address of this host to send an answer from (option `.packetInfo`); nil when the kernel should choose it.
  ///
  /// For a unicast packet it is the address of ``destination``. For IPv4 broadcast and multicast it is the address of
  /// this host on the network that delivered the packet (`ipi_spec_dst` of ip(7)), because a group address cannot be a
  /// source. For IPv6 multicast the kernel reports no address; set only the interface in the answer.
  @inlinable public var localAddress: IPAddress? {
    if localBits != 0 { return .v4(IPv4Address(bits: localBits)) }
    guard let destination else { return nil }
    return destination.ip.isMulticast || destination.ip == .v4(.broadcast) ? nil : destination.ip
  }

  /// Explicit congestion notification: the lower two bits of ``trafficClass`` (RFC 3168).
  @inlinable public var ecn: UInt8? { trafficClass.map { $0 & 3 } }
  /// The differentiated services code point: the upper six bits of ``trafficClass`` (RFC 2474).
  @inlinable public var dscp: UInt8? { trafficClass.map { $0 >> 2 } }

  /// Reads metadata from ancillary data.
  @inlinable
  public init(ancillary: RawSpan) {
    AncillaryData.forEach(in: ancillary) { level, type, data in
      switch level {
      case CSK_SOL_SOCKET: readSocketLevel(type, data)
      case CSK_IPPROTO_IP: readIPv4(type, data)
      case CSK_IPPROTO_IPV6: readIPv6(type, data)
      case CSK_IPPROTO_UDP:
        if type == CSK_UDP_GRO, data.byteCount >= 4 {
          segmentSize = Int(data.unsafeLoadUnaligned(as: Int32.self))
        }
      // The error queue of vsock, since Linux 6.7.
      case CSK_SOL_VSOCK:
        if type == CSK_VSOCK_RECVERR { error = ExtendedError(data) }
      default: break
      }
    }
  }

  @inlinable
  mutating func readSocketLevel(_ type: Int32, _ data: RawSpan) {
    switch type {
    case CSK_SO_TIMESTAMPNS, CSK_SO_TIMESTAMP:
      if data.byteCount >= 16 { readTime(data, 0, unit: type == CSK_SO_TIMESTAMP ? 1000 : 1) }
    case CSK_SO_TIMESTAMPING:
      // Three times: the software's, an unused one, the device's.
      guard data.byteCount >= 48 else { return }
      readTime(data, 32, unit: 1)
      readTime(data, 0, unit: 1)
    case CSK_SO_RXQ_OVFL:
      if data.byteCount >= 4 { dropCount = data.unsafeLoadUnaligned(as: UInt32.self) }
    default: break
    }
  }

  /// Reads a timespec or timeval; zero means that there is none.
  @inlinable
  mutating func readTime(_ data: RawSpan, _ offset: Int, unit: Int64) {
    let seconds = data.unsafeLoadUnaligned(fromByteOffset: offset, as: Int64.self)
    let fraction = data.unsafeLoadUnaligned(fromByteOffset: offset &+ 8, as: Int64.self)
    if seconds != 0 || fraction != 0 { timestamp = seconds &* 1_000_000_000 &+ fraction &* unit }
  }

  @inlinable
  mutating func readIPv4(_ type: Int32, _ data: RawSpan) {
    switch type {
    case CSK_IP_PKTINFO:
      guard data.byteCount >= 12 else { return }
      interfaceIndex = data.unsafeLoadUnaligned(as: UInt32.self)
      localBits = UInt32(bigEndian: data.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self))
      let bits = UInt32(bigEndian: data.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self))
      destination = IPSocketAddress(IPv4Address(bits: bits), port: 0)
    case CSK_IP_TTL:
      if data.byteCount >= 4 { hopLimit = UInt8(truncatingIfNeeded: data.unsafeLoadUnaligned(as: Int32.self)) }
    case CSK_IP_TOS:
      if data.byteCount >= 1 { trafficClass = data.unsafeLoad(as: UInt8.self) }
    case CSK_IP_RECVERR: error = ExtendedError(data)
    case CSK_IP_ORIGDSTADDR: originalDestination = IPSocketAddress(sockaddr: data)
    default: break
    }
  }

  @inlinable
  mutating func readIPv6(_ type: Int32, _ data: RawSpan) {
    switch type {
    case CSK_IPV6_PKTINFO:
      guard data.byteCount >= 20 else { return }
      let high = UInt64(bigEndian: data.unsafeLoadUnaligned(as: UInt64.self))
      let low = UInt64(bigEndian: data.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self))
      interfaceIndex = data.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt32.self)
      let address = IPv6Address(high: high, low: low)
      // A dual-stack socket reports the destination of an IPv4 packet as an IPv4-mapped address.
      destination = IPSocketAddress(address, port: 0, scopeID: address.isLinkLocal ? interfaceIndex : 0).unmapped
    case CSK_IPV6_HOPLIMIT:
      if data.byteCount >= 4 { hopLimit = UInt8(truncatingIfNeeded: data.unsafeLoadUnaligned(as: Int32.self)) }
    case CSK_IPV6_TCLASS:
      if data.byteCount >= 4 { trafficClass = UInt8(truncatingIfNeeded: data.unsafeLoadUnaligned(as: Int32.self)) }
    case CSK_IPV6_RECVERR: error = ExtendedError(data)
    case CSK_IPV6_ORIGDSTADDR: originalDestination = IPSocketAddress(sockaddr: data)?.unmapped
    case CSK_IPV6_PATHMTU: pathMTU = PathMTUNotice(data)
    default: break
    }
  }
}
