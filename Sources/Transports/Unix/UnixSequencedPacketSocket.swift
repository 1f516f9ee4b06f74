public import SocketKitCore

/// A connection between two processes of one host that keeps the boundaries of messages (unix(7), SOCK_SEQPACKET).
///
/// ```swift
/// let listener = try UnixSequencedPacketSocket.listen(on: UnixAddress(path: "/run/demo.sock"))
/// let client = try UnixSequencedPacketSocket.connect(
///   to: UnixAddress(path: "/run/demo.sock"), until: .after(.seconds(5)))
/// ```
/// Paths: ``UnixSocket``. It passes descriptors (``DescriptorPassing``) and knows its peer (``PeerIdentifying``).
///
/// **Empty packets** can be sent, but the receiver cannot tell one from the end of the connection, unless its option
/// `.passCredentials` is on: then credentials come with every packet, an empty one too, and not with the end. So
/// ``SocketCapabilities/emptyMessages`` is not among the capabilities of the type. Set the option on the listener, and on
/// a connecting socket in `configure:`, where empty packets mean something. Measured: 170 to 200 ns more for a packet of 64
/// bytes that is sent and received, of about 1750.
@frozen
public struct UnixSequencedPacketSocket: ~Copyable, SequencedPacketSocket, ConnectionTransport, UnixSocket,
  DescriptorPassing, PeerIdentifying
{
  public typealias Address = UnixAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }
  @inlinable public static var socketType: SocketType { .sequencedPacket }
}
