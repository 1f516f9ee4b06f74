/// A socket that Core can make: a transport says what it is in a few lines, and inherits connect, listen, adopt and
/// close.
public protocol TransportSocket: DescriptorSocket, ~Copyable {
  /// Takes over a descriptor that ``kind(for:)`` or ``accepts(_:)`` describes, without looking at it: it is CLOEXEC and
  /// non-blocking.
  init(owning descriptor: consuming Descriptor)

  /// What socket(2) is told for an address: family, type, protocol.
  static func kind(for address: Address) -> SocketKind

  /// Whether an adopted descriptor of this kind is one of this transport's.
  static func accepts(_ kind: SocketKind) -> Bool

  /// Called on a new socket before it is bound to listen there, before the caller's own configuration: for defaults
  /// such as reuse-address.
  static func willListen(_ socket: borrowing Self, on address: Address) throws(SocketError)

  /// Called on a new socket that is to connect, before the caller's own configuration: for transports whose kernel has
  /// a time-out of its own. Not called by `startConnecting`, which has no deadline.
  static func willConnect(_ socket: borrowing Self, until deadline: Deadline) throws(SocketError)

  /// The smallest backlog that the kernel takes for listening: SCTP's takes 0 for an end of it.
  static var smallestBacklog: Int { get }

  /// Called when binding failed: true when the transport has cleared the way and binding is to be tried once
  /// more.
  static func clearedWay(for address: Address, after error: SocketError) -> Bool

  /// What a listener on this address must do when it goes; nil for nothing. Called after bind.
  static func cleanup(for address: Address) -> (@Sendable () -> Void)?

  /// Called on a socket that has been bound to an address, and that the transport may mark as the owner of what binding
  /// made.
  mutating func didBind(to address: Address)

  /// Called on a connected socket before it is handed out: throw to refuse it.
  static func didConnect(_ socket: borrowing Self) throws(SocketError)
}

extension TransportSocket where Self: ~Copyable {
  public static func willListen(_ socket: borrowing Self, on address: Address) throws(SocketError) {}
  public static func willConnect(_ socket: borrowing Self, until deadline: Deadline) throws(SocketError) {}
  public static var smallestBacklog: Int { 0 }
  public static func clearedWay(for address: Address, after error: SocketError) -> Bool { false }
  public static func cleanup(for address: Address) -> (@Sendable () -> Void)? { nil }
  public mutating func didBind(to address: Address) {}
  public static func didConnect(_ socket: borrowing Self) throws(SocketError) {}
}

/// A transport with connections: it can connect, listen and accept.
public protocol ConnectionTransport: TransportSocket, Acceptable, ~Copyable where AcceptContext == Void {}

extension ConnectionTransport where Self: ~Copyable {
  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { self.init(owning: descriptor) }
}
