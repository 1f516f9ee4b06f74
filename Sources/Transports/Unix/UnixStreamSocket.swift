public import SocketKitCore

/// A connected stream between two processes on one host (unix(7)).
///
/// ```swift
/// let listener = try UnixStreamSocket.listen(on: UnixAddress(path: "/run/demo.sock"))
/// let client = try UnixStreamSocket.connect(to: UnixAddress(path: "/run/demo.sock"), until: .after(.seconds(5)))
/// ```
/// Listening on a path creates a file, and closing the listener removes it. ``SocketKitUnix`` describes the other rules
/// about paths. The socket can pass descriptors (`sendDescriptors(_:with:)`) and reports its peer's identity (option
/// `.peerCredentials`). A read call that does not request descriptors discards any that arrive, so that no descriptor
/// leaks.
@frozen
public struct UnixStreamSocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  public typealias Address = UnixAddress
  public typealias Options = UnixSocketOptions

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  /// `unix`, as in `unix:/run/x.sock`.
  public static var endpointFormat: EndpointFormat<UnixAddress, UnixAddress> { .unix(scheme: "unix") }

  @inlinable public static var kinds: [SocketKind] { [SocketKind(.unix, .stream)] }
}
