/// The functions that format, parse and resolve the endpoints of a transport: ``Transport/endpointFormat``.
///
/// ```swift
/// public static var endpointFormat: EndpointFormat<IPEndpoint, IPSocketAddress> { .ip(scheme: "tcp") }
/// ```
public struct EndpointFormat<Endpoint: Hashable & Sendable, Address: SocketAddress>: Sendable {
  /// The name of the transport in the text of an endpoint: a lower-case letter, followed by lower-case letters, digits,
  /// `+`, `-` and `.`. The scheme is empty for a transport without a text form.
  public let scheme: String

  /// Parses an endpoint from the text after the scheme and the colon, such as `//localhost:80` in `tcp://localhost:80`.
  /// The function looks up the names of this host's interfaces, but no other names.
  ///
  /// Throws ``SocketError/malformed(_:code:)``, whose explanation states what is wrong with the text.
  public let parse: @Sendable (_ body: String) throws(SocketError) -> Endpoint

  /// Returns the canonical text of an endpoint without the scheme. ``parse`` returns an equal endpoint for this text.
  public let body: @Sendable (Endpoint) -> String

  /// Returns the endpoint of a socket's address.
  public let endpoint: @Sendable (Address) -> Endpoint

  /// Returns the addresses of an endpoint, at least one. If the endpoint is a name, the function looks up the name, and
  /// blocks the calling thread until the lookup ends.
  ///
  /// Throws `.nameNotFound`, `.resolverFailed`, `.timedOut`, `.cancelled`. The error contains the name.
  public let addresses: @Sendable (Endpoint, any WaitLimit) throws(SocketError) -> [Address]

  /// Makes a format from its functions.
  public init(
    scheme: String,
    parse: @escaping @Sendable (_ body: String) throws(SocketError) -> Endpoint,
    body: @escaping @Sendable (Endpoint) -> String,
    endpoint: @escaping @Sendable (Address) -> Endpoint,
    addresses: @escaping @Sendable (Endpoint, any WaitLimit) throws(SocketError) -> [Address]
  ) {
    self.scheme = scheme
    self.parse = parse
    self.body = body
    self.endpoint = endpoint
    self.addresses = addresses
  }

  /// Returns the text of an endpoint, with the scheme if the transport has one.
  public func text(of endpoint: Endpoint) -> String {
    scheme.isEmpty ? body(endpoint) : EndpointText(scheme: scheme, body: body(endpoint)).description
  }

  /// Returns the text of an address, with the scheme if the transport has one. Use this method, for example, to print
  /// the address of a listener.
  @_disfavoredOverload
  public func text(of address: Address) -> String { text(of: endpoint(address)) }
}

extension EndpointFormat where Endpoint == Address {
  /// Makes the format of a transport that uses one type for endpoints and addresses.
  public init(
    scheme: String,
    parse: @escaping @Sendable (_ body: String) throws(SocketError) -> Address,
    body: @escaping @Sendable (Address) -> String
  ) {
    self.init(scheme: scheme, parse: parse, body: body, endpoint: { $0 }, addresses: { (address, _) in [address] })
  }
}

extension Transport where Self: ~Copyable, Endpoint == Address {
  public static var endpointFormat: EndpointFormat<Address, Address> {
    EndpointFormat(
      scheme: "",
      parse: { (_) throws(SocketError) in throw .malformed("This transport has no text form.") },
      body: { $0.description })
  }
}
