/// A socket type that Core can open. A transport implements these requirements, and inherits the methods that connect,
/// listen, adopt and close.
public protocol TransportSocket: DescriptorSocket, ~Copyable {
  /// Takes over a descriptor without a check. The descriptor must be CLOEXEC and non-blocking, and of a kind that
  /// ``kind(for:)`` returns or ``accepts(_:)`` accepts.
  init(owning descriptor: consuming Descriptor)

  /// Returns the arguments of socket(2) for an address: family, type, protocol.
  static func kind(for address: Address) -> SocketKind

  /// Returns whether a socket of this kind belongs to this transport.
  static func accepts(_ kind: SocketKind) -> Bool

  /// Sets default options, such as reuse-address, on a new socket that will listen or receive at the address. Called
  /// before the caller's configuration and before bind(2).
  static func willListen(_ socket: borrowing Self, on address: Address) throws(SocketError)

  /// Sets options on a new socket that will connect, for transports with a connect timeout in the kernel. Called before
  /// the caller's configuration. `startConnecting` has no deadline and does not call it.
  static func willConnect(_ socket: borrowing Self, until deadline: Deadline) throws(SocketError)

  /// The smallest backlog with which the kernel listens. With a backlog of 0 an SCTP socket stops listening.
  static var smallestBacklog: Int { get }

  /// Handles an error of bind(2). Returns true when the transport has removed the cause and bind(2) can be repeated.
  static func clearedWay(for address: Address, after error: SocketError) -> Bool

  /// Returns the function that a listener on this address must call when it closes, or nil. Called after bind(2).
  static func cleanup(for address: Address) -> (@Sendable () -> Void)?

  /// Handles a successful bind(2). The transport can record that the socket owns an object that bind(2) created, such
  /// as a socket file.
  mutating func didBind(to address: Address)

  /// Checks a connected socket before the caller receives it. Throws an error to refuse the connection.
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
