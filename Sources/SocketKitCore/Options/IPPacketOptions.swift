internal import CSocketKit

// The metadata that a socket reports with its packets, and the fragmentation of packets: options of ip(7) and ipv6(7),
// sorted by their C names. Each works on IPv4, IPv6 and dual-stack sockets; ``PacketMetadata`` carries the values.

extension SocketOption where Group: IPOptions, Value == Bool {
  /// Reports the address that a packet was sent to and the interface that received it. For an IPv4 packet a dual-stack
  /// socket receives the ancillary messages of both versions: only IPv4's contains the address to answer from
  /// (``PacketMetadata/localAddress``). The C names are `IP_PKTINFO` and `IPV6_RECVPKTINFO`.
  public static var packetInfo: Self { Self(ipv4: CSK_IP_PKTINFO, ipv6: CSK_IPV6_RECVPKTINFO) }
  /// Stores the errors of sent packets in the socket's error queue, from which `nextQueuedError` reads them. Without
  /// this option an unconnected socket receives no such errors. An error that is not read from the queue fails the next
  /// send or receive, once. The C names are `IP_RECVERR` and `IPV6_RECVERR`.
  public static var receiveErrors: Self { Self(ipv4: CSK_IP_RECVERR, ipv6: CSK_IPV6_RECVERR) }
  /// Reports the address and port that a packet was sent to, according to its own headers. Use it for sockets to which
  /// packets are redirected. See ``PacketMetadata/originalDestination``. The C names are `IP_RECVORIGDSTADDR` and
  /// `IPV6_RECVORIGDSTADDR`.
  public static var receiveOriginalDestination: Self { Self(ipv4: CSK_IP_ORIGDSTADDR, ipv6: CSK_IPV6_ORIGDSTADDR) }
  /// Reports IPv6 packets that were larger than the MTU of their path. A receive then returns an empty message whose
  /// ``PacketMetadata/pathMTU`` is not nil, before the datagrams in the queue. The kernel makes such a notice when it
  /// refuses a packet that must not be fragmented (``OutgoingMetadata/doNotFragment``, ``doNotFragment``). It keeps
  /// only the last notice, and does not wake a waiting call for it. The report of a router comes through the error
  /// queue: ``ExtendedError/pathMTU``. IPv6 sockets only (`.notSupported`). The C name is `IPV6_RECVPATHMTU` (Linux
  /// 2.6.35).
  public static var receivePathMTU: Self { Self(flag: CSK_IPV6_RECVPATHMTU, level: CSK_IPPROTO_IPV6) }
  /// Never fragments IPv6 packets: a packet that is larger than the MTU of its path fails with `.messageTooLarge`. For
  /// single packets use ``OutgoingMetadata/doNotFragment``. IPv6 sockets only (`.notSupported`); for IPv4 use
  /// ``pathMTUDiscovery``. The C name is `IPV6_DONTFRAG` (Linux 2.6.36).
  public static var doNotFragment: Self { Self(flag: CSK_IPV6_DONTFRAG, level: CSK_IPPROTO_IPV6) }
  /// Reports the type-of-service or traffic-class byte: DSCP and ECN. The C names are `IP_RECVTOS` and
  /// `IPV6_RECVTCLASS`.
  public static var receiveTrafficClass: Self { Self(ipv4: CSK_IP_RECVTOS, ipv6: CSK_IPV6_RECVTCLASS) }
  /// Reports the time to live or hop limit. The C names are `IP_RECVTTL` and `IPV6_RECVHOPLIMIT`.
  public static var receiveHopLimit: Self { Self(ipv4: CSK_IP_RECVTTL, ipv6: CSK_IPV6_RECVHOPLIMIT) }
}

extension ReadOnlySocketOption where Group: IPOptions, Value == Int {
  /// The path MTU in bytes, IP header included, as known at present, of a connected socket (`.notConnected` otherwise).
  /// The C names are `IP_MTU` and `IPV6_MTU`.
  public static var pathMTU: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> Int in try target.ipOption(CSK_IP_MTU, CSK_IPV6_MTU) }
  }
}

extension SocketOption where Group: IPOptions, Value == PathMTUDiscovery {
  /// The way in which packets are kept within the path's MTU. The C names are `IP_MTU_DISCOVER` and
  /// `IPV6_MTU_DISCOVER`.
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

/// The way in which a socket keeps its packets within the path's MTU: `IP_PMTUDISC_…` of ip(7).
@frozen
public struct PathMTUDiscovery: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// Lets this host and routers fragment packets that are too long (IP_PMTUDISC_DONT).
  @inlinable public static var never: Self { Self(rawValue: 0) }
  /// This host fragments a packet that is longer than the known path MTU. Routers must not fragment packets of this
  /// socket (IP_PMTUDISC_WANT).
  @inlinable public static var whenKnown: Self { Self(rawValue: 1) }
  /// Never fragments: a datagram longer than the path's known MTU fails with `.messageTooLarge` (IP_PMTUDISC_DO).
  @inlinable public static var always: Self { Self(rawValue: 2) }
  /// Never fragments, and ignores the known MTU of the path. Use it to probe the path (IP_PMTUDISC_PROBE).
  @inlinable public static var probe: Self { Self(rawValue: 3) }
  /// Uses only the interface's MTU, so that forged ICMP messages have no effect; never fragments
  /// (IP_PMTUDISC_INTERFACE, Linux 3.14).
  @inlinable public static var interface: Self { Self(rawValue: 4) }
  /// Like ``interface``, but fragments packets that are too long (IP_PMTUDISC_OMIT, Linux 3.15).
  @inlinable public static var interfaceFragmenting: Self { Self(rawValue: 5) }
}
