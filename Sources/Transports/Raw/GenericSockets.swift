public import SocketKitCore

/// A socket of messages of any family, type and protocol: netlink, packet, CAN, or one that nobody has thought of here.
///
/// ```swift
/// let route = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
///   SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
/// ```
/// With an address type of your own in place of ``AnySocketAddress``, addresses come and go in that type. `Options` says
/// which options the socket takes: ``SocketLevelOptions`` for those of socket(7) only, `UDPSocketOptions` for those of
/// UDP, or a type of your own. The type of socket is any but a stream; sequenced packets, which have an end, are ``GenericPacketSocket``.
@frozen
public struct GenericMessageSocket<Address: SocketAddress, Options>: ~Copyable, DatagramSocket, KernelSocket,
  TransportSocket
{
  @usableFromInline let owned: Descriptor
  /// Only Unix sockets pass descriptors, and packet sockets refuse to be asked.
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

  /// A datagram socket of the address's family and its default protocol; for others see ``open(_:)-(SocketKind)``.
  public static func kind(for address: Address) -> SocketKind { SocketKind(address.family, .datagram) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.type != .stream && kind.type != .sequencedPacket }
}

/// A byte stream of any family and protocol.
///
/// ```swift
/// // Multipath TCP
/// let socket = try GenericStreamSocket<IPSocketAddress, TCPSocketOptions>.open(SocketKind(.ipv4, .stream, protocolNumber: 262))
/// try socket.connect(to: .loopback(port: 80), until: .after(.seconds(5)))
/// ```
@frozen
public struct GenericStreamSocket<Address: SocketAddress, Options>: ~Copyable, StreamSocket, KernelSocket,
  ConnectionTransport
{
  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  /// A stream of the address's family and its default protocol; for others see ``open(_:)-(SocketKind)``.
  public static func kind(for address: Address) -> SocketKind { SocketKind(address.family, .stream) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.type == .stream }
}

/// Sequenced packets of any family and protocol.
@frozen
public struct GenericPacketSocket<Address: SocketAddress, Options>: ~Copyable, SequencedPacketSocket,
  KernelSocket, ConnectionTransport
{
  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// None promised: what an empty packet means differs by family.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  /// A packet socket of the address's family and its default protocol; for others see ``open(_:)-(SocketKind)``.
  public static func kind(for address: Address) -> SocketKind { SocketKind(address.family, .sequencedPacket) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.type == .sequencedPacket }
}

extension DatagramSocket where Self: ~Copyable, Address == AnySocketAddress {
  /// Sends one datagram to an address of any type, without waiting: whole or not at all.
  /// - Returns: the number of bytes sent; nil when there is no room now.
  /// - Throws: as for the socket's own address type.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, toAny address: some SocketAddress, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try send(bytes, to: AnySocketAddress(address), flags: flags)
  }
}
