public import SocketKitCore
public import SocketKitIP

/// A UDP socket over IPv4 or IPv6 (udp(7)).
///
/// ```swift
/// let server = try UDPSocket.bind(to: .any(port: 7777))
/// let client = try UDPSocket.connect(to: .loopback(port: 7777))
/// ```
/// A socket bound to ``/SocketKitIP/IPSocketAddress/any(port:)`` is dual-stack: it receives from IPv6 and IPv4 peers,
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
  public static var endpointFormat: EndpointFormat<IPEndpoint, IPSocketAddress> { .ip(scheme: "udp") }

  public static var kinds: [SocketKind] {
    [SocketKind(.ipv4, .datagram, protocolNumber: 17), SocketKind(.ipv6, .datagram, protocolNumber: 17)]
  }

  public borrowing func configure(at step: SetupStep<IPSocketAddress>) throws(SocketError) {
    if case .binding(let address) = step, address.isIPv6 { try setOption(.v6Only, to: false) }
  }
}
