internal import CSocketKit
public import SocketKitCore

/// A TCP connection over IPv4 or IPv6 (tcp(7)).
///
/// ```swift
/// let listener = try TCPSocket.listen(on: .loopback(port: 0))
/// let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
/// ```
/// A listener on ``IPSocketAddress/any(port:)`` is dual-stack: it accepts IPv6 and IPv4 peers, and IPv4 peers have
/// addresses of the form `::ffff:a.b.c.d`. To exclude IPv4, set the option `.v6Only` in `configure`. Listeners set
/// reuse-address, so that a server can restart before old connections have ended.
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
  public static var scheme: String { "tcp" }

  public static func kind(for address: IPSocketAddress) -> SocketKind {
    SocketKind(address.family, .stream, protocolNumber: 6)
  }

  public static func accepts(_ kind: SocketKind) -> Bool {
    (kind.family == .ipv4 || kind.family == .ipv6) && kind.type == .stream && kind.protocolNumber == 6
  }

  public static func willBind(_ socket: borrowing TCPSocket, to address: IPSocketAddress) throws(SocketError) {
    try socket.setOption(.reuseAddress, to: true)
    // Set explicitly, because the default depends on net.ipv6.bindv6only, and programs must behave the same on every
    // host.
    if address.isIPv6 { try socket.setOption(.v6Only, to: false) }
  }

  /// Rejects a connection of the socket to itself. When a client connects to a loopback port in the ephemeral range on
  /// which nothing is listening, the kernel may choose the same port as the local port. TCP's simultaneous open then
  /// succeeds (RFC 9293, 3.5).
  public static func didConnect(_ socket: borrowing TCPSocket) throws(SocketError) {
    if try socket.descriptor.localAddress() == socket.descriptor.remoteAddress() {
      throw SocketError(.failure(errno: CSK_ECONNREFUSED), .connect)
    }
  }
}
