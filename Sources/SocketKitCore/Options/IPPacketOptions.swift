internal import CSocketKit

// What a socket tells of its packets, and how they may be cut: options of ip(7) and ipv6(7), sorted by their C names. Each
// works on IPv4, IPv6 and dual-stack sockets; the values come as ``PacketMetadata``.

extension SocketOption where Level == IPLevel, Value == Bool {
  /// Tells the address that a packet was sent to and the interface that it came in by. On a dual-stack socket IPv6's
  /// option tells them of IPv4 packets too. The C names are `IP_PKTINFO` and `IPV6_RECVPKTINFO`.
  public static var packetInfo: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Bool in
        try target.ipOption(CSK_IP_PKTINFO, CSK_IPV6_RECVPKTINFO) != 0
      },
      write: { (target: RawDescriptor, value: Bool) throws(SocketError) in
        let number = value ? 1 : 0
        if try target.isIPv6(.setOption) {
          try target.setIntegerOption(CSK_IPPROTO_IPV6, CSK_IPV6_RECVPKTINFO, number)
        } else {
          try target.setIntegerOption(CSK_IPPROTO_IP, CSK_IP_PKTINFO, number)
        }
      })
  }
  /// Keeps errors that came back for packets in the socket's error queue, where `receiveError` finds them; an unconnected
  /// socket hears of none without it. An error that is not taken from there fails the next send or receive, once. The C
  /// names are `IP_RECVERR` and `IPV6_RECVERR`.
  public static var receiveErrors: Self { Self(ipv4: CSK_IP_RECVERR, ipv6: CSK_IPV6_RECVERR) }
  /// Tells the type-of-service or traffic-class byte: DSCP and ECN. The C names are `IP_RECVTOS` and `IPV6_RECVTCLASS`.
  public static var receiveTrafficClass: Self { Self(ipv4: CSK_IP_RECVTOS, ipv6: CSK_IPV6_RECVTCLASS) }
  /// Tells the time to live or hop limit. The C names are `IP_RECVTTL` and `IPV6_RECVHOPLIMIT`.
  public static var receiveHopLimit: Self { Self(ipv4: CSK_IP_RECVTTL, ipv6: CSK_IPV6_RECVHOPLIMIT) }
}

extension SocketOption where Level == IPLevel, Value == Int {
  /// The path MTU in bytes, IP header included, as far as it is known now; reading only, and only on a connected socket
  /// (`.notConnected` otherwise). The C names are `IP_MTU` and `IPV6_MTU`.
  public static var pathMTU: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in try target.ipOption(CSK_IP_MTU, CSK_IPV6_MTU) },
      write: { (_, _) throws(SocketError) in throw SocketError(code: .notSupported, .setOption) })
  }
}

extension SocketOption where Level == IPLevel, Value == PathMTUDiscovery {
  /// How packets are kept within the path's MTU. The C names are `IP_MTU_DISCOVER` and `IPV6_MTU_DISCOVER`.
  public static var pathMTUDiscovery: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> PathMTUDiscovery in
        PathMTUDiscovery(
          rawValue: Int32(truncatingIfNeeded: try target.ipOption(CSK_IP_MTU_DISCOVER, CSK_IPV6_MTU_DISCOVER)))
      },
      write: { (target: RawDescriptor, value: PathMTUDiscovery) throws(SocketError) in
        try target.setIPOption(CSK_IP_MTU_DISCOVER, CSK_IPV6_MTU_DISCOVER, Int(value.rawValue))
      })
  }
}

/// How a socket keeps its packets within the path's MTU: `IP_PMTUDISC_…` of ip(7).
@frozen
public struct PathMTUDiscovery: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// Fragments what is too long, wherever that is (IP_PMTUDISC_DONT).
  @inlinable public static var never: Self { Self(rawValue: 0) }
  /// Fragments here what is longer than the path's known MTU, and lets nobody else do it (IP_PMTUDISC_WANT).
  @inlinable public static var whenKnown: Self { Self(rawValue: 1) }
  /// Never fragments: a datagram longer than the path's known MTU fails with `.messageTooLarge` (IP_PMTUDISC_DO).
  @inlinable public static var always: Self { Self(rawValue: 2) }
  /// Never fragments, and ignores what is known of the path: for probing it (IP_PMTUDISC_PROBE).
  @inlinable public static var probe: Self { Self(rawValue: 3) }
  /// Believes only the interface's MTU, so that forged ICMP messages do no harm; never fragments (IP_PMTUDISC_INTERFACE,
  /// Linux 3.14).
  @inlinable public static var interface: Self { Self(rawValue: 4) }
  /// As ``interface``, but fragments what is too long (IP_PMTUDISC_OMIT, Linux 3.15).
  @inlinable public static var interfaceFragmenting: Self { Self(rawValue: 5) }
}
