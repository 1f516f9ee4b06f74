public import SocketKitCore

/// A TCP connection over IPv4 or IPv6 (tcp(7)).
///
/// ```swift
/// let listener = try TCPSocket.listen(on: .loopback(port: 0))
/// let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
/// ```
/// A listener on ``IPSocketAddress/any(port:)`` is dual-stack: it takes IPv6 and IPv4 peers, the latter as
/// `::ffff:a.b.c.d`. Set the option `.v6Only` in `configure` to keep IPv4 out. Listeners set reuse-address, so that a
/// restart need not wait for old connections.
@frozen
public struct TCPSocket: ~Copyable, StreamSocket, KernelSocket, ConnectionTransport {
  public typealias Options = TCPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { [.halfClose, .errorQueue] }

  public static func kind(for address: IPSocketAddress) -> SocketKind {
    SocketKind(address.family, .stream, protocolNumber: 6)
  }

  public static func accepts(_ kind: SocketKind) -> Bool {
    (kind.family == .ipv4 || kind.family == .ipv6) && kind.type == .stream && kind.protocolNumber == 6
  }

  public static func willListen(_ socket: borrowing TCPSocket, on address: IPSocketAddress) throws(SocketError) {
    try socket.setOption(.reuseAddress, to: true)
    // Not left to net.ipv6.bindv6only: the same program must mean the same on every host.
    if address.isIPv6 { try socket.setOption(.v6Only, to: false) }
  }

  /// Refuses a connection to itself: connecting to a loopback port in the range of automatic ports, where nobody listens,
  /// may get that very port for the near end, and then TCP's simultaneous open succeeds (RFC 9293, 3.5).
  public static func didConnect(_ socket: borrowing TCPSocket) throws(SocketError) {
    if try socket.descriptor.localAddress() == socket.descriptor.remoteAddress() {
      throw SocketError(.failure(errno: 111), .connect)
    }
  }
}
