public import SocketKitCore
public import SocketKitIP

/// An unprivileged socket for echo requests and replies: SOCK_DGRAM over ICMP or ICMPv6 (icmp(7); Linux 3.0, for IPv6
/// Linux 3.11).
///
/// ```swift
/// let socket = try ICMPSocket.connect(to: .loopback(port: 0))
/// ```
/// Only echo requests can be sent through the socket, and the kernel writes their identifier and checksum. The kernel
/// delivers a reply to the socket only if the reply has the identifier of this socket (net/ipv4/ping.c). Messages begin
/// with the ICMP header (``ICMPEcho``). The port of a local address is the identifier. With port 0, the kernel chooses
/// the identifier, and `localAddress()` returns it. The port of a peer's address does not affect the packets. On a
/// connected socket, however, `remoteAddress()` succeeds only if that port is not 0.
///
/// If a message is longer than the buffer, ``/SocketKitCore/MessageInfo/isTruncated`` is set and
/// ``/SocketKitCore/MessageInfo/length`` is the length of the buffer, because the kernel ignores MSG_TRUNC here
/// (net/ipv4/ping.c). Use a buffer that is as long as the longest reply.
///
/// Opening a socket fails with `.permissionDenied` for processes whose groups are not in net.ipv4.ping_group_range,
/// including processes of root. In that case, use ``RawIPSocket`` if the process has CAP_NET_RAW.
@frozen
public struct ICMPSocket: ~Copyable, DatagramSocket, KernelSocket, Transport {
  public typealias Options = ICMPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// The socket has an error queue. It has no empty messages, because every message has a header.
  @inlinable public static var capabilities: SocketCapabilities { .errorQueue }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  public static var kinds: [SocketKind] {
    [
      SocketKind(.ipv4, .datagram, protocolNumber: IPProtocol.icmp.rawValue),
      SocketKind(.ipv6, .datagram, protocolNumber: IPProtocol.icmpv6.rawValue),
    ]
  }
}
