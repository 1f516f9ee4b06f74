public import CSocketKit
public import SocketKitCore

/// Information that the kernel reports about a received packet if the socket options that request it are set. The
/// initializer reads the information from the ancillary data of a message, without allocation, and skips unknown
/// ancillary messages.
@frozen
public struct PacketMetadata: BitwiseCopyable, Hashable, Sendable {
  /// The address that the packet was sent to, with port 0 (IP_PKTINFO, IPV6_PKTINFO: option `.packetInfo`). For an IPv4
  /// packet, this is an IPv4 address even on a dual-stack socket, where the sender's address is an IPv4-mapped address.
  public var destination: IPSocketAddress?
  /// The index of the interface that received the packet (option `.packetInfo`); 0 if it is unknown.
  public var interfaceIndex: UInt32 = 0
  // ipi_spec_dst in host byte order; 0 if the kernel reported none.
  @usableFromInline var localBits: UInt32 = 0
  /// The time to live or the hop limit (option `.receiveHopLimit`).
  public var hopLimit: UInt8?
  /// The type-of-service or traffic-class byte (option `.receiveTrafficClass`).
  public var trafficClass: UInt8?
  /// The time when the kernel received the packet, in nanoseconds since 1970 on the system's clock (options
  /// `.timestamps`, `.nanosecondTimestamps`). With `.timestampingFlags`, this is the software timestamp or, if there is
  /// none, the hardware timestamp, which is a time on the device's clock. In an entry of the error queue, it is the
  /// time when the packet was sent.
  public var timestamp: Int64?
  /// The size in bytes of the datagrams that the kernel coalesced into this message (UDP_GRO); nil if the message is
  /// one datagram. The last datagram may be shorter.
  public var segmentSize: Int?
  /// The number of packets that the socket has dropped so far because its receive buffer was full (option
  /// `.dropCount`).
  public var dropCount: UInt32?
  /// The entry of the error queue (option `.receiveErrors`, flag ``/SocketKitCore/ReceiveFlags/errorQueue``).
  public var error: ExtendedError?
  /// The destination address and port in the packet's headers (IP_ORIGDSTADDR, IPV6_ORIGDSTADDR: option
  /// `.receiveOriginalDestination`). For a packet that was redirected to this socket (TPROXY), this is the destination
  /// before the redirection. For an IPv4 packet, it is an IPv4 address even on a dual-stack socket.
  public var originalDestination: IPSocketAddress?
  /// A notice that a packet was too large for its path (IPV6_PATHMTU: option `.receivePathMTU`). If this is not nil,
  /// the message is such a notice and not a datagram.
  public var pathMTU: PathMTUNotice?

  @inlinable
  init() {}

  /// The address of this host that a reply should have as its source (option `.packetInfo`); nil if the kernel should
  /// select the address.
  ///
  /// For a unicast packet, this is the address of ``destination``. For IPv4 broadcast and multicast packets, it is the
  /// address of this host on the network that delivered the packet (`ipi_spec_dst` of ip(7)), because a broadcast or
  /// multicast address cannot be a source. For IPv6 multicast packets the kernel reports no address, so set the
  /// interface of the reply and no source.
  @inlinable public var localAddress: IPAddress? {
    if localBits != 0 { return .v4(IPv4Address(bits: localBits)) }
    guard let destination else { return nil }
    return destination.ip.isMulticast || destination.ip == .v4(.broadcast) ? nil : destination.ip
  }

  /// Explicit congestion notification: the lower two bits of ``trafficClass`` (RFC 3168).
  @inlinable public var ecn: UInt8? { trafficClass.map { $0 & 3 } }
  /// The differentiated services code point: the upper six bits of ``trafficClass`` (RFC 2474).
  @inlinable public var dscp: UInt8? { trafficClass.map { $0 >> 2 } }

  /// Decodes the metadata in ancillary data.
  @inlinable
  public init(ancillary: RawSpan) {
    AncillaryData.forEach(in: ancillary) { level, type, data in
      switch level {
      case CSK_SOL_SOCKET: readSocketLevel(type, data)
      case CSK_IPPROTO_IP: readIPv4(type, data)
      case CSK_IPPROTO_IPV6: readIPv6(type, data)
      case CSK_IPPROTO_UDP:
        if type == CSK_UDP_GRO, data.byteCount >= 4 {
          segmentSize = Int(data.integer(as: Int32.self))
        }
      // An entry of the error queue of a vsock socket (Linux 6.7).
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
      // The data are three timestamps: the software timestamp, an unused timestamp and the timestamp of the device.
      guard data.byteCount >= 48 else { return }
      readTime(data, 32, unit: 1)
      readTime(data, 0, unit: 1)
    case CSK_SO_RXQ_OVFL:
      if data.byteCount >= 4 { dropCount = data.integer(as: UInt32.self) }
    default: break
    }
  }

  /// Reads a struct timespec or timeval. A value of zero means that there is no timestamp.
  @inlinable
  mutating func readTime(_ data: RawSpan, _ offset: Int, unit: Int64) {
    let seconds = data.integer(at: offset, as: Int64.self)
    let fraction = data.integer(at: offset &+ 8, as: Int64.self)
    if seconds != 0 || fraction != 0 { timestamp = seconds &* 1_000_000_000 &+ fraction &* unit }
  }

  @inlinable
  mutating func readIPv4(_ type: Int32, _ data: RawSpan) {
    switch type {
    case CSK_IP_PKTINFO:
      guard data.byteCount >= 12 else { return }
      interfaceIndex = data.integer(as: UInt32.self)
      localBits = UInt32(bigEndian: data.integer(at: 4, as: UInt32.self))
      let bits = UInt32(bigEndian: data.integer(at: 8, as: UInt32.self))
      destination = IPSocketAddress(IPv4Address(bits: bits), port: 0)
    case CSK_IP_TTL:
      if data.byteCount >= 4 { hopLimit = UInt8(truncatingIfNeeded: data.integer(as: Int32.self)) }
    case CSK_IP_TOS:
      if data.byteCount >= 1 { trafficClass = data.integer(as: UInt8.self) }
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
      let high = UInt64(bigEndian: data.integer(as: UInt64.self))
      let low = UInt64(bigEndian: data.integer(at: 8, as: UInt64.self))
      interfaceIndex = data.integer(at: 16, as: UInt32.self)
      let address = IPv6Address(high: high, low: low)
      // A dual-stack socket reports the destination of an IPv4 packet as an IPv4-mapped address.
      destination = IPSocketAddress(address, port: 0, scopeID: address.isLinkLocal ? interfaceIndex : 0).unmapped
    case CSK_IPV6_HOPLIMIT:
      if data.byteCount >= 4 { hopLimit = UInt8(truncatingIfNeeded: data.integer(as: Int32.self)) }
    case CSK_IPV6_TCLASS:
      if data.byteCount >= 4 { trafficClass = UInt8(truncatingIfNeeded: data.integer(as: Int32.self)) }
    case CSK_IPV6_RECVERR: error = ExtendedError(data)
    case CSK_IPV6_ORIGDSTADDR: originalDestination = IPSocketAddress(sockaddr: data)?.unmapped
    case CSK_IPV6_PATHMTU: pathMTU = PathMTUNotice(data)
    default: break
    }
  }
}
