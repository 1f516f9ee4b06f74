public import SocketKitCore

/// Echo requests and replies without privilege: SOCK_DGRAM over ICMP or ICMPv6 (icmp(7), Linux 3.0; IPv6 3.11).
///
/// ```swift
/// let socket = try ICMPSocket.connect(to: .loopback(port: 0))
/// ```
/// The kernel sends nothing but echo requests through it, writes identifier and checksum itself, and hands it the replies
/// to its own requests only. Messages begin with the ICMP header (``ICMPEcho``). The identifier stands in an address's
/// port: port 0 lets the kernel choose it, and `localAddress()` tells. A peer's port means nothing, but the kernel tells
/// `remoteAddress()` of a connected socket only when it is not 0.
///
/// When a message is longer than the buffer, ``MessageInfo/isTruncated`` is set and ``MessageInfo/length`` is the
/// buffer's length: the kernel ignores MSG_TRUNC here (net/ipv4/ping.c). Give a buffer as long as the longest reply.
///
/// Opening one is `.permissionDenied` for processes whose groups are not within net.ipv4.ping_group_range, root too: use
/// ``RawIPSocket`` then, where CAP_NET_RAW is there.
@frozen
public struct ICMPSocket: ~Copyable, DatagramSocket, KernelSocket, TransportSocket {
  public typealias Options = ICMPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No empty messages: every message has a header.
  @inlinable public static var capabilities: SocketCapabilities { .errorQueue }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  public static func kind(for address: IPSocketAddress) -> SocketKind {
    SocketKind(
      address.family, .datagram, protocolNumber: (address.isIPv6 ? IPProtocol.icmpv6 : IPProtocol.icmp).rawValue)
  }

  public static func accepts(_ kind: SocketKind) -> Bool {
    guard kind.type == .datagram else { return false }
    return kind.family == .ipv4 && kind.protocolNumber == IPProtocol.icmp.rawValue
      || kind.family == .ipv6 && kind.protocolNumber == IPProtocol.icmpv6.rawValue
  }
}
