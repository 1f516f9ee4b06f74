/// A transport that addresses name: `tcp://localhost:80` begins with ``scheme``, and the rest is a ``Location``.
///
/// Ours conform in a few lines, and a third party's does too; ``TransportList`` then puts it beside them.
/// ```swift
/// extension MySocket: NamedConnectionTransport {
///   typealias Location = MyAddress  // an EndpointLocation; a transport over IP takes IPLocation
///   static var scheme: String { "my" }
/// }
/// ```
/// One without connections conforms to ``NamedTransport`` only.
public protocol NamedTransport: TransportSocket, ~Copyable {
  /// What addresses say behind the scheme.
  associatedtype Location: EndpointLocation

  /// The name, in small letters: a letter, then letters, digits, `+`, `-` and `.`.
  static var scheme: String { get }

  /// Where a socket's own address is, for printing it.
  static func location(of address: Address) -> Location

  /// The addresses that a location stands for, at least one: names are looked up now, waiting on this thread.
  /// - Throws: `.nameNotFound`, `.resolverFailed`, `.timedOut`, `.cancelled`, with the name.
  static func addresses(
    of location: Location, until limit: some WaitLimit
  ) throws(EndpointError) -> [Address]

  /// Calls the visitor's method for this kind of transport. Streams, sequenced packets and datagrams inherit it.
  static func visit<V: EndpointVisitor>(_ location: Location, with visitor: inout V) throws(V.Failure) -> V.Outcome
}

extension NamedTransport where Self: ~Copyable {
  /// A location as text, with the scheme.
  public static func text(of location: Location) -> String {
    EndpointText(scheme: scheme, body: location.endpointBody).description
  }

  /// An address as text, with the scheme: what a listener should tell its users.
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

  /// ``text(of:)-(Location)``, where a location and an address are the same.
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
