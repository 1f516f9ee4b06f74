/// A kind of socket that Core can open: a transport says what it is in a few static members, and inherits the methods
/// that open, connect, bind, listen and adopt.
///
/// A transport implements ``init(owning:)``, ``kind(for:)`` and ``accepts(_:)``, and what ``DescriptorSocket``
/// requires: the options, the descriptor and its release, and the capabilities. A transport with connections also
/// conforms to
/// ``Acceptable``, and inherits its initializer.
///
/// ```swift
/// public struct MySocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable { … }
/// ```
/// **Text form.** With a ``scheme`` the transport can be part of a ``TransportList``, and its endpoints have the text
/// `scheme:body`. The type ``Endpoint`` is what a user writes: an address, unless the transport resolves names. For
/// ``IPEndpoint`` and ``UnixAddress`` the text has defaults; a transport with another type implements
/// ``endpoint(parsing:)``, ``body(of:)``, ``endpoint(of:)`` and ``addresses(of:until:)``.
public protocol Transport: DescriptorSocket, ~Copyable {
  /// What a user writes to name a place to connect to or to listen at, such as the name of a host and a port. It is the
  /// ``Socket/Address`` unless the transport resolves names; transports over IP take ``IPEndpoint``.
  associatedtype Endpoint: Hashable & Sendable = Address

  /// Takes over a descriptor without a check. The descriptor must be CLOEXEC and non-blocking, and of a kind that
  /// ``kind(for:)`` returns or ``accepts(_:)`` accepts.
  init(owning descriptor: consuming Descriptor)

  /// Returns the arguments of socket(2) for an address: family, type, protocol.
  static func kind(for address: Address) -> SocketKind

  /// Returns whether a socket of this kind belongs to this transport.
  static func accepts(_ kind: SocketKind) -> Bool

  // Hooks, which have defaults.

  /// Sets default options, such as reuse-address, on a new socket that will listen or receive at the address. Called
  /// before the caller's configuration and before bind(2). The default sets none.
  static func willBind(_ socket: borrowing Self, to address: Address) throws(SocketError)

  /// Binds the descriptor. The default calls bind(2). A transport whose bind(2) creates an object, such as a socket
  /// file, can remove a stale one first and record that the socket owns the new one.
  mutating func bindDescriptor(to address: Address) throws(SocketError)

  /// Returns the function that a listener on this address must call when it closes, or nil, which is the default.
  /// Called after bind(2).
  static func cleanup(for address: Address) -> (@Sendable () -> Void)?

  /// The smallest backlog with which the kernel listens: 0 by default. With a backlog of 0 an SCTP socket stops
  /// listening.
  static var smallestBacklog: Int { get }

  /// Sets options on a new socket that will connect, for transports with a connect timeout in the kernel. Called before
  /// the caller's configuration. `startConnecting` has no deadline and does not call it. The default sets none.
  static func willConnect(_ socket: borrowing Self, until deadline: Deadline) throws(SocketError)

  /// Checks a connected socket before the caller receives it. Throws an error to refuse the connection. The default
  /// accepts every connection.
  static func didConnect(_ socket: borrowing Self) throws(SocketError)

  // The text form.

  /// The name of the transport in the text of an endpoint: a lower-case letter, followed by lower-case letters, digits,
  /// `+`, `-` and `.`. Empty, the default, for a transport without a text form.
  static var scheme: String { get }

  /// Reads an endpoint from the text after the scheme and the colon, such as `//localhost:80` in `tcp://localhost:80`.
  /// Looks up the names of this host's interfaces, but no other names. The default reads nothing.
  /// - Throws: ``SocketError/malformed(_:code:)``, which explains what is wrong.
  static func endpoint(parsing body: String) throws(SocketError) -> Endpoint

  /// Returns the canonical text of an endpoint without the scheme. Reading it must return an equal endpoint.
  static func body(of endpoint: Endpoint) -> String

  /// Returns the endpoint of a socket's address, for example to print it.
  static func endpoint(of address: Address) -> Endpoint

  // Connecting and binding at an endpoint, with defaults for endpoints that are addresses or names of addresses.

  /// Returns the addresses of an endpoint, at least one. Looks up a name, and blocks the calling thread meanwhile.
  /// - Throws: `.nameNotFound`, `.resolverFailed`, `.timedOut`, `.cancelled`. The error contains the name.
  static func addresses(of endpoint: Endpoint, until limit: some WaitLimit) throws(SocketError) -> [Address]

  /// Makes a socket that is connected to an endpoint; programs call `connect(to:until:)`. The default tries the
  /// addresses of the endpoint in turn. IP streams race them (RFC 8305).
  static func connect(
    at endpoint: Endpoint, from source: Address?, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self

  /// Makes a socket that is bound to an endpoint; programs call `bind(to:)` and `listen(on:)`. The default binds to the
  /// first address whose IP version this kernel supports.
  static func bind(
    at endpoint: Endpoint, until limit: some WaitLimit, configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self

  /// Calls the visitor's method for this kind of transport. Every transport inherits an implementation.
  static func visit<V: EndpointVisitor>(_ endpoint: Endpoint, with visitor: inout V) throws(V.Failure) -> V.Outcome
}

extension Transport where Self: ~Copyable {
  public static func willBind(_ socket: borrowing Self, to address: Address) throws(SocketError) {}
  public mutating func bindDescriptor(to address: Address) throws(SocketError) { try descriptor.bind(to: address) }
  public static func cleanup(for address: Address) -> (@Sendable () -> Void)? { nil }
  public static var smallestBacklog: Int { 0 }
  public static func willConnect(_ socket: borrowing Self, until deadline: Deadline) throws(SocketError) {}
  public static func didConnect(_ socket: borrowing Self) throws(SocketError) {}
}

extension Acceptable where Self: Transport & ~Copyable, AcceptContext == Void {
  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { self.init(owning: descriptor) }
}

extension DescriptorSocket where Self: ~Copyable {
  /// Calls a program's configuration of a new socket. It is for transports that make sockets by other means than
  /// ``Transport/open(for:)``.
  /// - Throws: the error of the closure. An error that is not a ``SocketError`` becomes one with the code `.other` and
  ///   an ``SocketError/explanation`` that contains its text.
  public borrowing func configure(with closure: (borrowing Self) throws -> Void) throws(SocketError) {
    do {
      try closure(self)
    } catch let error as SocketError {
      throw error
    } catch {
      throw SocketError(code: .other, .configure).with(explanation: "The configuration failed: \(error).")
    }
  }
}
