internal import CSocketKit
public import SocketKitCore

// Options of ip(7) and ipv6(7) for the metadata of received packets and for the fragmentation of packets, sorted by
// their C names. Unless stated otherwise, an option works on IPv4, IPv6 and dual-stack sockets. ``PacketMetadata``
// contains the values that the socket reports.

extension SocketOption where Group: IPOptions, Value == Bool {
  /// Reports the destination address of a packet and the interface that received the packet. For an IPv4 packet, a
  /// dual-stack socket receives the ancillary messages of both IP versions. Only the ancillary message of IPv4 contains
  /// the source address for a reply (``PacketMetadata/localAddress``). The C names are `IP_PKTINFO` and
  /// `IPV6_RECVPKTINFO`.
  public static var packetInfo: Self { Self(ipv4: CSK_IP_PKTINFO, ipv6: CSK_IPV6_RECVPKTINFO) }
  /// Puts the errors of sent packets into the socket's error queue, which `nextQueuedError` reads. Without this option,
  /// an unconnected socket does not report these errors. If the program does not read an error from the queue, the next
  /// call that sends or receives fails once with this error. The C names are `IP_RECVERR` and `IPV6_RECVERR`.
  public static var receiveErrors: Self { Self(ipv4: CSK_IP_RECVERR, ipv6: CSK_IPV6_RECVERR) }
  /// Reports the destination address and port in a packet's headers. Use the option on sockets to which packets are
  /// redirected. See ``PacketMetadata/originalDestination``. The C names are `IP_RECVORIGDSTADDR` and
  /// `IPV6_RECVORIGDSTADDR`.
  public static var receiveOriginalDestination: Self { Self(ipv4: CSK_IP_ORIGDSTADDR, ipv6: CSK_IPV6_ORIGDSTADDR) }
  /// Reports IPv6 packets that were larger than the MTU of their path. The next receive call then returns a notice,
  /// before the datagrams in the queue. A notice is an empty message whose ``PacketMetadata/pathMTU`` is not nil. The
  /// kernel makes a notice when it refuses a packet that must not be fragmented (``OutgoingMetadata/doNotFragment``,
  /// ``doNotFragment``). The kernel stores only the last notice, and a notice does not wake a waiting call. The reports
  /// that routers send are in the error queue (``ExtendedError/pathMTU``). The option exists only on IPv6 sockets; on
  /// other sockets, using it throws `.notSupported`. The C name is `IPV6_RECVPATHMTU` (Linux 2.6.35).
  public static var receivePathMTU: Self { Self(flag: CSK_IPV6_RECVPATHMTU, level: CSK_IPPROTO_IPV6) }
  /// Prevents the fragmentation of IPv6 packets. A send fails with `.messageTooLarge` if the packet is larger than the
  /// MTU of its path. For single packets, use ``OutgoingMetadata/doNotFragment``. The option exists only on IPv6
  /// sockets; on other sockets, using it throws `.notSupported`. On IPv4 sockets, use ``pathMTUDiscovery``. The C name
  /// is `IPV6_DONTFRAG` (Linux 2.6.36).
  public static var doNotFragment: Self { Self(flag: CSK_IPV6_DONTFRAG, level: CSK_IPPROTO_IPV6) }
  /// Reports the type-of-service or traffic-class byte: DSCP and ECN. The C names are `IP_RECVTOS` and
  /// `IPV6_RECVTCLASS`.
  public static var receiveTrafficClass: Self { Self(ipv4: CSK_IP_RECVTOS, ipv6: CSK_IPV6_RECVTCLASS) }
  /// Reports the time to live or hop limit. The C names are `IP_RECVTTL` and `IPV6_RECVHOPLIMIT`.
  public static var receiveHopLimit: Self { Self(ipv4: CSK_IP_RECVTTL, ipv6: CSK_IPV6_RECVHOPLIMIT) }
}

extension ReadOnlySocketOption where Group: IPOptions, Value == Int {
  /// The path MTU that the kernel currently uses for a connected socket, in bytes, including the IP header. Reading the
  /// option of an unconnected socket throws `.notConnected`. The C names are `IP_MTU` and `IPV6_MTU`.
  public static var pathMTU: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> Int in try target.ipOption(CSK_IP_MTU, CSK_IPV6_MTU) }
  }
}

extension SocketOption where Group: IPOptions, Value == PathMTUDiscovery {
  /// The way in which the socket limits its packets to the path's MTU. The C names are `IP_MTU_DISCOVER` and
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

/// The way in which a socket limits its packets to the path's MTU: `IP_PMTUDISC_…` of ip(7).
@frozen
public struct PathMTUDiscovery: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// Lets this host and routers fragment packets that are too long (IP_PMTUDISC_DONT).
  @inlinable public static var never: Self { Self(rawValue: 0) }
  /// Lets this host fragment a packet that is longer than the stored path MTU. Routers must not fragment packets of
  /// this socket (IP_PMTUDISC_WANT).
  @inlinable public static var whenKnown: Self { Self(rawValue: 1) }
  /// Prevents fragmentation. A call that sends a datagram longer than the stored path MTU fails with `.messageTooLarge`
  /// (IP_PMTUDISC_DO).
  @inlinable public static var always: Self { Self(rawValue: 2) }
  /// Prevents fragmentation and ignores the stored path MTU. Use this value to probe the path (IP_PMTUDISC_PROBE).
  @inlinable public static var probe: Self { Self(rawValue: 3) }
  /// Prevents fragmentation and uses only the MTU of the interface, so that forged ICMP messages have no effect
  /// (IP_PMTUDISC_INTERFACE, Linux 3.14).
  @inlinable public static var interface: Self { Self(rawValue: 4) }
  /// Like ``interface``, but fragments packets that are too long (IP_PMTUDISC_OMIT, Linux 3.15).
  @inlinable public static var interfaceFragmenting: Self { Self(rawValue: 5) }
}
