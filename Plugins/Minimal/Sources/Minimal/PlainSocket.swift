public import SocketKitCore
public import SocketKitIP

/// A TCP connection: the smallest possible transport over a kernel socket.
@frozen
public struct PlainSocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  /// The options of socket(7), ip(7) and ipv6(7).
  public enum Options: IPOptions {}
  public typealias Address = IPSocketAddress
  /// An address, or the name of a host.
  public typealias Endpoint = IPEndpoint

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }
  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }
  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  public static var kinds: [SocketKind] {
    [SocketKind(.ipv4, .stream, protocolNumber: 6), SocketKind(.ipv6, .stream, protocolNumber: 6)]
  }

  /// `plain`, as in `plain://localhost:80`.
  public static var endpointFormat: EndpointFormat<IPEndpoint, IPSocketAddress> { .ip(scheme: "plain") }
}
