public import SocketKitCore

/// One SCTP association on a socket of its own (RFC 6458, 4: one-to-one style).
@frozen
public struct SCTPSocket: ~Copyable, StreamSocket, ConnectionTransport, SCTPOptionTarget {
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No half-close: shutting down writing ends the association (RFC 9260, 9.2). No empty messages: the protocol has none.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  public static func kind(for address: IPSocketAddress) -> SocketKind {
    SocketKind(address.family, .stream, protocolNumber: 132)
  }

  public static func accepts(_ kind: SocketKind) -> Bool {
    (kind.family == .ipv4 || kind.family == .ipv6) && kind.type == .stream && kind.protocolNumber == 132
  }

  public static func willListen(_ socket: borrowing SCTPSocket, on address: IPSocketAddress) throws(SocketError) {
    try socket.setOption(.reuseAddress, to: true)
    if address.isIPv6 { try socket.setOption(.v6Only, to: false) }
  }
}
