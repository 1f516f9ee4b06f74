internal import CSocketKit
public import SocketKitCore

// Options of ip(7) and ipv6(7) for sending and receiving multicast packets, sorted by their C names. Setting an option
// on an IPv6 socket also sets the option for IPv4 packets, so a dual-stack socket needs no other calls. For
// memberships, see `join(_:)`.

extension SocketOption where Group: IPOptions, Value == Bool {
  /// Whether the socket receives the packets of every group that any socket of the host has joined. The default is
  /// true. If false, the socket receives multicast packets only if it has joined their group itself. The C names are
  /// `IP_MULTICAST_ALL` (Linux 2.6.31) and `IPV6_MULTICAST_ALL` (Linux 4.20).
  public static var multicastAll: Self { Self(ipv4: CSK_IP_MULTICAST_ALL, ipv6: CSK_IPV6_MULTICAST_ALL) }
  /// Whether group members on this host receive packets that this socket sends to the group. The default is true. The C
  /// names are `IP_MULTICAST_LOOP` and `IPV6_MULTICAST_LOOP`.
  public static var multicastLoop: Self { Self(ipv4: CSK_IP_MULTICAST_LOOP, ipv6: CSK_IPV6_MULTICAST_LOOP) }
}

extension SocketOption where Group: IPOptions, Value == Int {
  /// The largest number of hops of multicast packets, at most 255. With 0 the packets do not leave this host. With 1,
  /// the default, they do not leave the directly connected network. The C names are `IP_MULTICAST_TTL` and
  /// `IPV6_MULTICAST_HOPS`.
  public static var multicastHops: Self { Self(ipv4: CSK_IP_MULTICAST_TTL, ipv6: CSK_IPV6_MULTICAST_HOPS) }
}

extension SocketOption where Group: IPOptions, Value == UInt32 {
  /// The index of the interface that sends multicast packets. With 0, the routing table selects the interface. Reading
  /// the option of an IPv4 socket throws `.notSupported`. Setting it throws `.addressNotAvailable` if no interface has
  /// the index. The C names are `IP_MULTICAST_IF` and `IPV6_MULTICAST_IF`.
  public static var multicastInterface: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> UInt32 in
        guard try target.isIPv6(.getOption) else { throw SocketError(code: .notSupported, .getOption) }
        return UInt32(truncatingIfNeeded: try target.integerOption(CSK_IPPROTO_IPV6, CSK_IPV6_MULTICAST_IF))
      },
      write: { (target: RawDescriptor, index: UInt32) throws(SocketError) in
        if try target.isIPv6(.setOption) {
          try target.setIPValue(CSK_IPPROTO_IPV6, CSK_IPV6_MULTICAST_IF, index)
          try target.unlessIPv6Only { () throws(SocketError) in try target.setMulticastInterface(.any, index) }
        } else {
          try target.setMulticastInterface(.any, index)
        }
      })
  }
}

extension SocketOption where Group: IPOptions, Value == IPv4Address {
  /// An address of the interface that sends IPv4 multicast packets. With 0.0.0.0, the routing table selects the
  /// interface. Setting the option throws `.addressNotAvailable` if no interface has the address. The C name is
  /// `IP_MULTICAST_IF`.
  public static var multicastInterfaceAddress: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> IPv4Address in
        IPv4Address(
          bits: UInt32(
            bigEndian: UInt32(truncatingIfNeeded: try target.integerOption(CSK_IPPROTO_IP, CSK_IP_MULTICAST_IF))))
      },
      write: { (target: RawDescriptor, address: IPv4Address) throws(SocketError) in
        try target.setMulticastInterface(address, 0)
      })
  }
}

extension RawDescriptor {
  /// Sets IP_MULTICAST_IF with a struct ip_mreqn, which contains an empty group, an address and an interface number.
  fileprivate func setMulticastInterface(_ address: IPv4Address, _ index: UInt32) throws(SocketError) {
    let request: (UInt32, UInt32, UInt32) = (0, address.bits.bigEndian, index)
    try setIPValue(CSK_IPPROTO_IP, CSK_IP_MULTICAST_IF, request)
  }
}
