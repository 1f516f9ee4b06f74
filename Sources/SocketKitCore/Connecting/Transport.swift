/// A type of socket that this library can open. A transport describes its sockets in a few static members, and inherits
/// the methods that open, connect, bind, listen and adopt.
///
/// A transport implements ``init(owning:)`` and ``kinds``, and the requirements of ``DescriptorSocket``: the options,
/// the descriptor, `releaseDescriptor()`, and the capabilities. A transport with connections also conforms to
/// ``Acceptable``, and inherits the initializer that ``Acceptable`` requires.
///
/// ```swift
/// public struct MySocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable { … }
/// ```
/// **Text form.** If the ``endpointFormat`` of a transport has a scheme, the transport can be part of a
/// ``TransportList``, and the text of its endpoints is `scheme:body`. ``Endpoint`` is the type of the values to which a
/// program connects or binds. It is the address type unless the transport resolves names.
public protocol Transport: DescriptorSocket, ~Copyable {
  /// The type of the endpoints to which a program connects or binds, such as the name of a host and a port. It is the
  /// ``Socket/Address`` unless the transport resolves names. Transports over IP use `IPEndpoint`.
  associatedtype Endpoint: Hashable & Sendable = Address

  /// Takes ownership of a descriptor without a check. The descriptor must be CLOEXEC and non-blocking, and must have
  /// one of the ``kinds``.
  init(owning descriptor: consuming Descriptor)

  /// The kinds of socket that belong to this transport, as the arguments of socket(2). For an address, ``open(for:)``
  /// opens a socket of the first kind that has the family of the address.
  ///
  /// ``AddressFamily/unspecified`` matches every family, and the protocol number 0 matches every protocol of the type.
  static var kinds: [SocketKind] { get }

  // Hooks with default implementations.

  /// Opens a socket that is neither bound nor connected. This method is for implementers of transports, and for
  /// programs that must set options before they bind or connect the socket. The default implementation opens a socket
  /// of the first of the ``kinds`` that has the family of the address. If the kind depends on the address in another
  /// way, implement this method with ``RawDescriptor/open(_:)``.
  /// - Throws: `.tooManyDescriptors`, `.protocolNotSupported`, `.permissionDenied`; `.wrongSocketKind` if none of the
  ///   ``kinds`` has the family of the address.
  static func open(for address: Address) throws(SocketError) -> Self

  /// Sets default options, such as reuse-address, on a new socket, or rejects a connection. The library calls this
  /// method at the steps that ``SetupStep`` lists. To reject a connection, throw an error. The default implementation
  /// does nothing.
  borrowing func configure(at step: SetupStep<Address>) throws(SocketError)

  /// Binds this open socket. This method is called by `bind(to:)`, by `listen(on:)`, and by `connect(to:from:)` with a
  /// source, each on the socket that it opens. The default implementation calls bind(2). If bind(2) creates an object,
  /// such as a socket file, the implementation can first remove a stale object, and record that the socket owns the new
  /// object.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` (the socket is already
  ///   bound, or the address has another family). The error contains the address.
  mutating func bind(to address: Address) throws(SocketError)

  /// The function that a listener on this bound socket must call when the listener is closed. It is nil by default.
  var listenerCleanup: (@Sendable () -> Void)? { get }

  /// The smallest backlog that may be passed to listen(2): 0 by default. It is 1 for SCTP, because an SCTP socket stops
  /// listening if its backlog is 0.
  static var smallestBacklog: Int { get }

  /// The functions that format, parse and resolve the transport's endpoints. If the endpoints of the transport are its
  /// addresses, the default is a format that has no scheme and parses no text.
  static var endpointFormat: EndpointFormat<Endpoint, Address> { get }

  // Connecting and binding to an endpoint, with default implementations for endpoints that are addresses or names.

  /// Makes a socket that is connected to an endpoint. Programs call `connect(to:until:)`, which calls this method. For
  /// a ``ConnectedSocket``, the default implementation tries the addresses of the endpoint in order. The implementation
  /// for IP streams races the addresses (RFC 8305). For a ``DatagramSocket``, the default implementation connects to
  /// the first address whose IP version the kernel supports. For any other socket, it throws `.notSupported`.
  static func open(
    connectedTo endpoint: Endpoint, from source: Address?, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self

  /// Makes a socket that is bound to an endpoint. Programs call `bind(to:)` or `listen(on:)`, which call this method.
  /// The default implementation binds to the first address whose IP version the kernel supports.
  static func open(
    boundTo endpoint: Endpoint, until limit: some WaitLimit, configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self

  /// Calls the visitor's method for this kind of transport. Every transport inherits an implementation of this method.
  static func visit<V: EndpointVisitor>(_ endpoint: Endpoint, with visitor: inout V) throws(V.Failure) -> V.Outcome
}

/// A step at which a transport may set options on a new socket or check the socket: ``Transport/configure(at:)``.
public enum SetupStep<Address: SocketAddress>: Sendable {
  /// The socket will listen or receive at the address. This step precedes the program's configuration and bind(2). This
  /// step is omitted when a connecting socket is bound to its source address.
  case binding(to: Address)
  /// A ``ConnectedSocket`` will connect. This step precedes the program's configuration. It is for transports with a
  /// connect timeout in the kernel. Two other ways to connect omit this step: a call of `startConnecting`, which has no
  /// deadline, and a call of `connect` on a socket that is already open.
  case connecting(until: Deadline)
  /// A ``ConnectedSocket`` is connected, but the connecting call has not returned the socket to the program yet.
  case connected
}

extension Transport where Self: ~Copyable {
  public borrowing func configure(at step: SetupStep<Address>) throws(SocketError) {}
  public mutating func bind(to address: Address) throws(SocketError) { try descriptor.bind(to: address) }
  public var listenerCleanup: (@Sendable () -> Void)? { nil }
  public static var smallestBacklog: Int { 0 }
}

extension Acceptable where Self: Transport & ~Copyable, AcceptContext == Void {
  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { self.init(owning: descriptor) }
}

extension DescriptorSocket where Self: ~Copyable {
  /// Calls the closure with which a program configures a new socket. This method is for transports that make sockets by
  /// other means than ``Transport/open(for:)``.
  /// - Throws: the error of the closure. If the error is not a ``SocketError``, this method throws a ``SocketError``
  ///   with the code `.other`, whose ``SocketError/explanation`` contains the text of the error.
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
