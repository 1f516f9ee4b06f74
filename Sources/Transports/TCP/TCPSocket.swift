internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// A TCP connection over IPv4 or IPv6 (tcp(7)).
///
/// ```swift
/// let listener = try TCPSocket.listen(on: .loopback(port: 0))
/// let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
/// ```
/// A listener on ``/SocketKitIP/IPSocketAddress/any(port:)`` is dual-stack: it accepts IPv6 and IPv4 peers, and IPv4
/// peers have addresses of the form `::ffff:a.b.c.d`. To exclude IPv4, set the option `.v6Only` in `configure`.
/// Listeners set reuse-address, so that a server can restart before old connections have ended.
@frozen
public struct TCPSocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  public typealias Options = TCPSocketOptions
  public typealias Address = IPSocketAddress
  public typealias Endpoint = IPEndpoint

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { [.halfClose, .errorQueue] }

  /// `tcp`, as in `tcp://localhost:80`.
  public static var endpointFormat: EndpointFormat<IPEndpoint, IPSocketAddress> { .ip(scheme: "tcp") }

  public static var kinds: [SocketKind] {
    [SocketKind(.ipv4, .stream, protocolNumber: 6), SocketKind(.ipv6, .stream, protocolNumber: 6)]
  }

  /// Sets reuse-address on a listener, makes an IPv6 listener dual-stack, and rejects a connection of the socket to
  /// itself.
  ///
  /// Suppose that a client connects to a loopback port in the ephemeral range, and nothing is listening on that port.
  /// The kernel may then choose the same port as the client's local port. TCP's simultaneous open then succeeds (RFC
  /// 9293, 3.5).
  public borrowing func configure(at step: SetupStep<IPSocketAddress>) throws(SocketError) {
    switch step {
    case .binding(let address):
      try setOption(.reuseAddress, to: true)
      // The option is set explicitly because its default depends on net.ipv6.bindv6only, and programs must behave the
      // same on every host.
      if address.isIPv6 { try setOption(.v6Only, to: false) }
    case .connecting: break
    case .connected:
      if try descriptor.localAddress() == descriptor.remoteAddress() {
        throw SocketError(.failure(errno: CSK_ECONNREFUSED), .connect)
      }
    }
  }
}
