// For each kind of transport, `visit(_:with:)` calls the visitor's method for that kind.

extension Transport where Self: ~Copyable {
  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ endpoint: Endpoint, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    try visitor.other(Self.self, at: endpoint)
  }
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
