public import SocketKitCore
internal import SocketKitIP

/// A message socket of any family and protocol: netlink, packet, CAN, or a family that has no socket type of its own in
/// SocketKit.
///
/// ```swift
/// let route = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
///   SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
/// ```
/// To use addresses of a specific type, replace ``/SocketKitCore/AnySocketAddress`` with your own address type.
/// `Options` determines the options that the socket supports: ``/SocketKitCore/SocketLevelOptions`` for those of
/// socket(7) only, `UDPSocketOptions` for those of UDP, or a type of your own. Every socket type except SOCK_STREAM and
/// SOCK_SEQPACKET is possible. For streams, use ``GenericStreamSocket``. For sequenced packets, whose connections have
/// an end, use ``GenericPacketSocket``. Packet sockets (packet(7)) also have ``join(_:interfaceIndex:)``,
/// ``leave(_:interfaceIndex:)`` and ``takePacketStatistics()``.
@frozen
public struct GenericMessageSocket<Address: SocketAddress, Options>: ~Copyable, DatagramSocket, KernelSocket,
  Transport
{
  @usableFromInline let owned: Descriptor
  /// Whether descriptors may arrive. Only Unix sockets pass descriptors, and packet sockets reject a request to receive
  /// descriptors.
  public let mayReceiveDescriptors: Bool

  @inlinable
  public init(owning descriptor: consuming Descriptor) {
    mayReceiveDescriptors = Self.passesDescriptors(descriptor.raw)
    owned = descriptor
  }

  @usableFromInline
  static func passesDescriptors(_ descriptor: RawDescriptor) -> Bool {
    do throws(SocketError) {
      return try descriptor.family() == .unix
    } catch {
      return true
    }
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .emptyMessages }

  /// Every kind of socket that has messages and no connections. A socket that is opened for an address is a datagram
  /// socket with the family's default protocol. To open a socket of another kind, use `open(_:)`.
  public static var kinds: [SocketKind] {
    [
      SocketKind(.unspecified, .datagram), SocketKind(.unspecified, .raw), SocketKind(.unspecified, .reliableDatagram),
      SocketKind(.unspecified, .congestionControlledDatagram), SocketKind(.unspecified, .packet),
    ]
  }
}

/// A byte-stream socket of any family and protocol.
///
/// ```swift
/// // Multipath TCP
/// let kind = SocketKind(.ipv4, .stream, protocolNumber: 262)
/// let socket = try GenericStreamSocket<IPSocketAddress, TCPSocketOptions>.open(kind)
/// try socket.connect(to: .loopback(port: 80), until: .after(.seconds(5)))
/// ```
@frozen
public struct GenericStreamSocket<Address: SocketAddress, Options>: ~Copyable, StreamSocket, KernelSocket,
  Transport, Acceptable
{
  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  /// SOCK_STREAM with every family and every protocol. A socket that is opened for an address has the family's default
  /// protocol. To open a socket with another protocol, use `open(_:)`.
  public static var kinds: [SocketKind] { [SocketKind(.unspecified, .stream)] }
}

/// A sequenced-packet socket of any family and protocol.
@frozen
public struct GenericPacketSocket<Address: SocketAddress, Options>: ~Copyable, SequencedPacketSocket,
  KernelSocket, Transport, Acceptable
{
  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No capabilities, because the meaning of an empty packet depends on the family.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  /// SOCK_SEQPACKET with every family and every protocol. A socket that is opened for an address has the family's
  /// default protocol. To open a socket with another protocol, use `open(_:)`.
  public static var kinds: [SocketKind] { [SocketKind(.unspecified, .sequencedPacket)] }
}

extension SocketType {
  /// Datagrams that arrive reliably, but in any order (SOCK_RDM).
  fileprivate static var reliableDatagram: Self { Self(rawValue: 4) }
  /// Datagrams with congestion control (SOCK_DCCP).
  fileprivate static var congestionControlledDatagram: Self { Self(rawValue: 6) }
  /// The obsolete socket type for packet sockets (SOCK_PACKET).
  fileprivate static var packet: Self { Self(rawValue: 10) }
}
