/// A kind of socket that Core can open: a transport says what it is in a few static members, and inherits the methods
/// that open, connect, bind, listen and adopt.
///
/// A transport implements ``init(owning:)`` and ``kinds``, and what ``DescriptorSocket`` requires: the options, the
/// descriptor and its release, and the capabilities. A transport with connections also conforms to ``Acceptable``, and
/// inherits its initializer.
///
/// ```swift
/// public struct MySocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable { … }
/// ```
/// **Text form.** With a scheme in its ``endpointFormat`` the transport can be part of a ``TransportList``, and its
/// endpoints have the text `scheme:body`. The type ``Endpoint`` is what a user writes: an address, unless the transport
/// resolves names.
public protocol Transport: DescriptorSocket, ~Copyable {
  /// What a user writes to name a place to connect to or to listen at, such as the name of a host and a port. It is the
  /// ``Socket/Address`` unless the transport resolves names; transports over IP take ``IPEndpoint``.
  associatedtype Endpoint: Hashable & Sendable = Address

  /// Takes over a descriptor without a check. The descriptor must be CLOEXEC and non-blocking, and of one of the
  /// ``kinds``.
  init(owning descriptor: consuming Descriptor)

  /// The kinds of socket that belong to this transport, as the arguments of socket(2). A socket for an address has the
  /// first kind of the address's family (``open(for:)``).
  ///
  /// ``AddressFamily/unspecified`` stands for every family, and the protocol number 0 for every protocol of the type.
  static var kinds: [SocketKind] { get }

  // Hooks, which have defaults.

  /// Opens a socket that is neither bound nor connected. It is for transports, and for options that must be set first.
  /// The default opens the first of the ``kinds`` with the address's family. A transport whose kind depends on the
  /// address in another way calls ``RawDescriptor/open(_:)``.
  /// - Throws: `.tooManyDescriptors`, `.protocolNotSupported`, `.permissionDenied`; `.wrongSocketKind` when no kind has
  ///   the family.
  static func open(for address: Address) throws(SocketError) -> Self

  /// Sets default options on a new socket, such as reuse-address, or checks it. Called before the program's
  /// configuration, at the steps that ``SetupStep`` lists. To refuse a connection, throw an error. The default does
  /// nothing.
  borrowing func configure(at step: SetupStep<Address>) throws(SocketError)

  /// Binds the descriptor. The default calls bind(2). A transport whose bind(2) creates an object, such as a socket
  /// file, can remove a stale one first and record that the socket owns the new one.
  mutating func bindDescriptor(to address: Address) throws(SocketError)

  /// The function that a listener on this bound socket must call when it closes, or nil, which is the default.
  var listenerCleanup: (@Sendable () -> Void)? { get }

  /// The smallest backlog with which the kernel listens: 0 by default. With a backlog of 0 an SCTP socket stops
  /// listening.
  static var smallestBacklog: Int { get }

  /// How the transport's endpoints are written, read and resolved. For a transport whose endpoints are its addresses,
  /// the default is a format without a scheme, which reads nothing.
  static var endpointFormat: EndpointFormat<Endpoint, Address> { get }

  // Connecting and binding at an endpoint, with defaults for endpoints that are addresses or names of addresses.

  /// Makes a socket that is connected to an endpoint; programs call `connect(to:until:)`. The default tries the
  /// addresses of the endpoint in turn. IP streams race them (RFC 8305).
  static func open(
    connectedTo endpoint: Endpoint, from source: Address?, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self

  /// Makes a socket that is bound to an endpoint; programs call `bind(to:)` and `listen(on:)`. The default binds to the
  /// first address whose IP version this kernel supports.
  static func open(
    boundTo endpoint: Endpoint, until limit: some WaitLimit, configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self

  /// Calls the visitor's method for this kind of transport. Every transport inherits an implementation.
  static func visit<V: EndpointVisitor>(_ endpoint: Endpoint, with visitor: inout V) throws(V.Failure) -> V.Outcome
}

/// A step at which a transport may set options on a new socket or check it: ``Transport/configure(at:)``.
public enum SetupStep<Address: SocketAddress>: Sendable {
  /// The socket will listen or receive at the address. Precedes the program's configuration and bind(2).
  case binding(to: Address)
  /// The socket will connect. Precedes the program's configuration. It is for transports with a connect timeout in the
  /// kernel: `startConnecting` has no deadline and omits this step.
  case connecting(until: Deadline)
  /// The socket is connected, and the caller has not received it.
  case connected
}

extension Transport where Self: ~Copyable {
  public borrowing func configure(at step: SetupStep<Address>) throws(SocketError) {}
  public mutating func bindDescriptor(to address: Address) throws(SocketError) { try descriptor.bind(to: address) }
  public var listenerCleanup: (@Sendable () -> Void)? { nil }
  public static var smallestBacklog: Int { 0 }
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
