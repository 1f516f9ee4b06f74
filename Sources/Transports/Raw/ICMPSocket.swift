public import SocketKitCore
public import SocketKitIP

/// A socket for echo requests and replies that requires no privilege: SOCK_DGRAM over ICMP or ICMPv6 (icmp(7), Linux
/// 3.0; IPv6 3.11).
///
/// ```swift
/// let socket = try ICMPSocket.connect(to: .loopback(port: 0))
/// ```
/// The kernel sends only echo requests through the socket, writes the identifier and the checksum, and delivers only
/// replies to the socket's own requests. Messages begin with the ICMP header (``ICMPEcho``). The port of a local
/// address is the identifier. With port 0, the kernel chooses the identifier, and `localAddress()` returns it. The port
/// of a peer's address does not affect the packets. On a connected socket, however, `remoteAddress()` succeeds only if
/// that port is not 0.
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
