// The text of endpoints.

extension Transport where Self: ~Copyable {
  public static var scheme: String { "" }

  public static func endpoint(parsing body: String) throws(SocketError) -> Endpoint {
    throw .malformed("This transport has no text form.")
  }

  public static func body(of endpoint: Endpoint) -> String { "\(endpoint)" }

  /// Returns the text of an endpoint, with the scheme if the transport has one.
  public static func text(of endpoint: Endpoint) -> String {
    let body = body(of: endpoint)
    return scheme.isEmpty ? body : EndpointText(scheme: scheme, body: body).description
  }

  /// Returns the text of an address, with the scheme if the transport has one. Print it as the address of a listener.
  @_disfavoredOverload
  public static func text(of address: Address) -> String { text(of: endpoint(of: address)) }

  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ endpoint: Endpoint, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.other(Self.self, at: endpoint)
  }
}

extension Transport where Self: ~Copyable, Endpoint == Address {
  public static func endpoint(of address: Address) -> Address { address }

  public static func addresses(of endpoint: Address, until limit: some WaitLimit) throws(SocketError) -> [Address] {
    [endpoint]
  }
}

// These signatures name `Endpoint` and `Address`: with `IPEndpoint` in them, the compiler would infer it as the
// `Endpoint` of every transport.
extension Transport where Self: ~Copyable, Endpoint == IPEndpoint, Address == IPSocketAddress {
  public static func endpoint(parsing body: String) throws(SocketError) -> Endpoint { try IPEndpoint(body: body) }

  public static func body(of endpoint: Endpoint) -> String { endpoint.body }

  public static func endpoint(of address: Address) -> Endpoint { .address(address) }

  public static func addresses(of endpoint: Endpoint, until limit: some WaitLimit) throws(SocketError) -> [Address] {
    try endpoint.addresses(until: limit)
  }
}

extension Transport where Self: ~Copyable, Endpoint == UnixAddress, Address == UnixAddress {
  /// Reads `/path`, `relative/path`, `@name` for an abstract name, and `@` alone for ``UnixAddress/unnamed``, for which
  /// the kernel chooses the abstract name of a listener. `///path` means `/path`.
  ///
  /// `%` and two hexadecimal digits mean a byte (``EscapedName``), as in `@a%00b`, and `%40name` is a path that begins
  /// with `@`.
  public static func endpoint(parsing body: String) throws(SocketError) -> Endpoint { try UnixAddress(body: body) }

  public static func body(of endpoint: Endpoint) -> String { endpoint.body }
}

extension Transport where Self: StreamSocket & Acceptable<Void> & ~Copyable {
  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ endpoint: Endpoint, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.stream(Self.self, at: endpoint)
  }
}

extension Transport where Self: SequencedPacketSocket & Acceptable<Void> & ~Copyable {
  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ endpoint: Endpoint, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.packets(Self.self, at: endpoint)
  }
}

extension Transport where Self: DatagramSocket & ~Copyable {
  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ endpoint: Endpoint, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.datagrams(Self.self, at: endpoint)
  }
}
