public import SocketKitCore

/// A message socket of any family, type and protocol: netlink, packet, CAN, or a family without its own type in
/// SocketKit.
///
/// ```swift
/// let route = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
///   SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
/// ```
/// To use addresses of a specific type, replace ``/SocketKitCore/AnySocketAddress`` with your own address type.
/// `Options` determines the options that the socket supports: ``/SocketKitCore/SocketLevelOptions`` for those of
/// socket(7) only, `UDPSocketOptions` for those of UDP, or a type of your own. The socket type can be any except a
/// stream. For sequenced packets, whose connections have an end, use ``GenericPacketSocket``.
@frozen
public struct GenericMessageSocket<Address: SocketAddress, Options>: ~Copyable, DatagramSocket, KernelSocket,
  Transport
{
  @usableFromInline let owned: Descriptor
  /// Whether descriptors may arrive. Only Unix sockets pass descriptors, and packet sockets reject requests for them.
  public let mayReceiveDescriptors: Bool

  @inlinable
  public init(owning descriptor: consuming Descriptor) {
    mayReceiveDescriptors = Self.passesDescriptors(descriptor.raw)
    owned = descriptor
  }

  @usableFromInline
  static func passesDescriptors(_ descriptor: RawDescriptor) -> Bool {
    do throws(SocketError) {
      return try descriptor.socketKind().family == .unix
    } catch {
      return true
    }
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .emptyMessages }

  /// Returns the kind of a datagram socket of the address's family with its default protocol; for other kinds see
  /// `open(_:)`.
  public static func kind(for address: Address) -> SocketKind { SocketKind(address.family, .datagram) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.type != .stream && kind.type != .sequencedPacket }
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

  /// Returns the kind of a stream of the address's family with its default protocol; for other kinds see
  /// `open(_:)`.
  public static func kind(for address: Address) -> SocketKind { SocketKind(address.family, .stream) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.type == .stream }
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

  /// None, because the meaning of an empty packet depends on the family.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  /// Returns the kind of a packet socket of the address's family with its default protocol; for other kinds see
  /// `open(_:)`.
  public static func kind(for address: Address) -> SocketKind { SocketKind(address.family, .sequencedPacket) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.type == .sequencedPacket }
}
