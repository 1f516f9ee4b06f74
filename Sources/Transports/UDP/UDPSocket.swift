public import SocketKitCore

/// A UDP socket over IPv4 or IPv6 (udp(7)).
///
/// ```swift
/// let server = try UDPSocket.bind(to: .any(port: 7777))
/// let client = try UDPSocket.connect(to: .loopback(port: 7777))
/// ```
/// A socket bound to ``/SocketKitCore/IPSocketAddress/any(port:)`` is dual-stack: it receives from IPv6 and IPv4 peers,
/// and IPv4 peers have addresses of the form `::ffff:a.b.c.d`.
@frozen
public struct UDPSocket: ~Copyable, DatagramSocket, KernelSocket, Transport {
  public typealias Options = UDPSocketOptions
  public typealias Address = IPSocketAddress
  public typealias Endpoint = IPEndpoint

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { [.emptyMessages, .errorQueue] }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  /// `udp`, as in `udp://localhost:80`.
  public static var scheme: String { "udp" }

  public static func kind(for address: IPSocketAddress) -> SocketKind {
    SocketKind(address.family, .datagram, protocolNumber: 17)
  }

  public static func accepts(_ kind: SocketKind) -> Bool {
    (kind.family == .ipv4 || kind.family == .ipv6) && kind.type == .datagram && kind.protocolNumber == 17
  }

  public static func willBind(_ socket: borrowing UDPSocket, to address: IPSocketAddress) throws(SocketError) {
    if address.isIPv6 { try socket.setOption(.v6Only, to: false) }
  }
}
