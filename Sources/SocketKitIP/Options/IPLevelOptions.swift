internal import CSocketKit
public import SocketKitCore

// The options of ip(7) and ipv6(7), sorted by their C names. One group contains the options of IPv4 and of IPv6,
// because a dual-stack socket accepts both.

/// A marker protocol for the option groups of sockets that accept the options of ip(7) and ipv6(7).
public protocol IPOptions {}

extension SocketOption where Group: IPOptions, Value == Bool {
  /// Lets a socket bind to an address that this host does not have, for example because the address will be assigned
  /// later. The C name is `IP_FREEBIND`.
  public static var freeBind: Self { Self(flag: CSK_IP_FREEBIND, level: CSK_IPPROTO_IP) }
  /// Lets a socket bind to addresses of other hosts, for transparent proxies. The option requires CAP_NET_ADMIN. The C
  /// name is `IP_TRANSPARENT`.
  public static var transparent: Self { Self(flag: CSK_IP_TRANSPARENT, level: CSK_IPPROTO_IP) }
  /// Restricts an IPv6 socket to IPv6 peers. Set the option before the socket is bound. The C name is `IPV6_V6ONLY`.
  public static var v6Only: Self { Self(flag: CSK_IPV6_V6ONLY, level: CSK_IPPROTO_IPV6) }
}

extension SocketOption where Group: IPOptions, Value == Int {
  /// The type-of-service byte of IPv4 packets, 0 to 255: DSCP in the upper six bits. The C name is `IP_TOS`.
  public static var typeOfService: Self { Self(integer: CSK_IP_TOS, level: CSK_IPPROTO_IP, in: 0...255) }
  /// The time to live of IPv4 packets, 1 to 255. The C name is `IP_TTL`.
  public static var timeToLive: Self { Self(integer: CSK_IP_TTL, level: CSK_IPPROTO_IP) }
  /// The traffic class of IPv6 packets: DSCP in the upper six bits. The C name is `IPV6_TCLASS`.
  public static var trafficClass: Self { Self(integer: CSK_IPV6_TCLASS, level: CSK_IPPROTO_IPV6) }
  /// The hop limit of IPv6 packets, 0 to 255. The C name is `IPV6_UNICAST_HOPS`.
  public static var hopLimit: Self { Self(integer: CSK_IPV6_UNICAST_HOPS, level: CSK_IPPROTO_IPV6) }
}
