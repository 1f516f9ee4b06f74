/// A transport whose addresses have a text form: `tcp://localhost:80` consists of the ``scheme`` and a ``Location``.
///
/// The transports of SocketKit conform, and a third party's transport can conform too. ``TransportList`` adds it to the
/// list of transports.
/// ```swift
/// extension MySocket: NamedConnectionTransport {
///   typealias Location = MyAddress  // an EndpointLocation; a transport over IP takes IPLocation
///   static var scheme: String { "my" }
/// }
/// ```
/// A transport without connections conforms only to ``NamedTransport``.
public protocol NamedTransport: TransportSocket, ~Copyable {
  /// The type of the part of an address after the scheme.
  associatedtype Location: EndpointLocation

  /// The name in lower case: a letter, followed by letters, digits, `+`, `-` and `.`.
  static var scheme: String { get }

  /// Returns the location of a socket's address, for example to print it.
  static func location(of address: Address) -> Location

  /// Returns the addresses of a location, at least one. Looks up a name, and blocks the calling thread meanwhile.
  /// - Throws: `.nameNotFound`, `.resolverFailed`, `.timedOut`, `.cancelled`. The error contains the name.
  static func addresses(
    of location: Location, until limit: some WaitLimit
  ) throws(EndpointError) -> [Address]

  /// Calls the visitor's method for this kind of transport. Every transport inherits an implementation.
  static func visit<V: EndpointVisitor>(_ location: Location, with visitor: inout V) throws(V.Failure) -> V.Outcome
}

extension NamedTransport where Self: ~Copyable {
  /// Returns the text of a location, with the scheme.
  public static func text(of location: Location) -> String {
    EndpointText(scheme: scheme, body: location.endpointBody).description
  }

  /// Returns the text of an address, with the scheme. Print it as the address of a listener.
  public static func text(of address: Address) -> String { text(of: location(of: address)) }

  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ location: Location, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.other(Self.self, at: location)
  }
}

extension NamedTransport where Self: ~Copyable, Location == Address {
  public static func location(of address: Address) -> Address { address }

  public static func addresses(
    of location: Address, until limit: some WaitLimit
  ) throws(EndpointError) -> [Address] {
    [location]
  }

  /// Returns the text of a location, with the scheme, for a transport whose location type is its address type.
  public static func text(of location: Address) -> String {
    EndpointText(scheme: scheme, body: location.endpointBody).description
  }
}

extension NamedTransport where Self: ~Copyable, Location == IPLocation, Address == IPSocketAddress {
  public static func location(of address: IPSocketAddress) -> IPLocation { .address(address) }

  public static func addresses(
    of location: IPLocation, until limit: some WaitLimit
  ) throws(EndpointError) -> [IPSocketAddress] {
    try location.addresses(until: limit)
  }
}

extension NamedTransport where Self: NamedConnectionTransport & StreamSocket & ~Copyable {
  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ location: Location, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.stream(Self.self, at: location)
  }
}

extension NamedTransport where Self: NamedConnectionTransport & SequencedPacketSocket & ~Copyable {
  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ location: Location, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.packets(Self.self, at: location)
  }
}

extension NamedTransport where Self: DatagramSocket & ~Copyable {
  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ location: Location, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.datagrams(Self.self, at: location)
  }
}
