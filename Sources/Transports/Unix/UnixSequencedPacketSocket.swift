public import SocketKitCore

/// A connection between two processes on one host that preserves message boundaries (unix(7), SOCK_SEQPACKET).
///
/// ```swift
/// let listener = try UnixSequencedPacketSocket.listen(on: UnixAddress(path: "/run/demo.sock"))
/// let client = try UnixSequencedPacketSocket.connect(
///   to: UnixAddress(path: "/run/demo.sock"), until: .after(.seconds(5)))
/// ```
/// ``SocketKitUnix`` describes the rules about paths. The socket can pass descriptors (`sendDescriptors(_:with:)`) and
/// reports its peer's identity (the option `.peerCredentials`).
///
/// **Empty packets** can be sent, but the receiver cannot distinguish an empty packet from the end of the connection,
/// unless the option `.passCredentials` is enabled on the receiving socket. With the option, credentials arrive with
/// every packet, including an empty packet, but not with the end of the connection. The capabilities of this type
/// therefore do not include ``/SocketKitCore/SocketCapabilities/emptyMessages``. If empty packets have a meaning in
/// your protocol, enable the option on the listener, and on a connecting socket in `configure:`. In measurements,
/// sending and receiving one packet of 64 bytes takes about 1750 ns, of which the option accounts for 170 to 200 ns.
@frozen
public struct UnixSequencedPacketSocket: ~Copyable, SequencedPacketSocket, KernelSocket, Transport, Acceptable {
  public typealias Address = UnixAddress
  public typealias Options = UnixSocketOptions

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  /// `unix-seqpacket`, as in `unix-seqpacket:/run/x.sock`.
  public static var endpointFormat: EndpointFormat<UnixAddress, UnixAddress> { .unix(scheme: "unix-seqpacket") }

  @inlinable public static var kinds: [SocketKind] { [SocketKind(.unix, .sequencedPacket)] }
}
