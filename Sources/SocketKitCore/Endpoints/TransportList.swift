/// A list of transport types. The scheme of an address selects a transport in the list. The compiler specializes the
/// operations on an address for each type in the list, so the selection is only a comparison of names.
///
/// A program adds its own transport before the others:
/// ```swift
/// typealias MyTransports = Transports<MySocket, AllTransports>
/// let address = try Endpoint<MyTransports>(parsing: "my:whatever")
/// ```
/// If two transports have the same scheme, the list uses the first transport. Only ``NoTransports`` and ``Transports``
/// conform to this protocol.
public protocol TransportList: Sendable {
  /// An endpoint of any transport in the list.
  associatedtype Value: Hashable, Sendable

  /// The schemes of the transports, in the order of the list.
  static var schemes: [String] { get }

  /// Parses the body with the transport of the scheme. Returns nil if no transport has the scheme.
  /// - Throws: ``SocketError/malformed(_:code:)``.
  static func value(of text: EndpointText) throws(SocketError) -> Value?

  /// Returns the scheme and the body of an endpoint.
  static func text(of value: Value) -> EndpointText

  /// Calls the visitor's method for the kind of the endpoint's transport.
  static func visit<V: EndpointVisitor>(_ value: Value, with visitor: inout V) throws(V.Failure) -> V.Outcome
}

/// The empty list, which ends every list.
@frozen
public enum NoTransports: TransportList {
  public static var schemes: [String] { [] }

  public static func value(of text: EndpointText) throws(SocketError) -> Never? { nil }

  public static func text(of value: Never) -> EndpointText {}

  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ value: Never, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {}
}

/// A list that consists of a transport and the list of the following transports.
@frozen
public enum Transports<First: Transport & ~Copyable, Rest: TransportList>: TransportList {
  public typealias Value = FirstOrRest<First.Endpoint, Rest.Value>

  public static var schemes: [String] { [First.endpointFormat.scheme].filter { !$0.isEmpty } + Rest.schemes }

  public static func value(of text: EndpointText) throws(SocketError) -> Value? {
    let format = First.endpointFormat
    if text.scheme == format.scheme { return .first(try format.parse(text.body)) }
    return try Rest.value(of: text).map { .rest($0) }
  }

  public static func text(of value: Value) -> EndpointText {
    switch value {
    case .first(let endpoint):
      let format = First.endpointFormat
      return EndpointText(scheme: format.scheme, body: format.body(endpoint))
    case .rest(let other): return Rest.text(of: other)
    }
  }

  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ value: Value, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    switch value {
    case .first(let endpoint): try First.visit(endpoint, with: &visitor)
    case .rest(let other): try Rest.visit(other, with: &visitor)
    }
  }
}

/// An endpoint of the first transport in a list, or an endpoint of a later transport.
@frozen
public enum FirstOrRest<First: Hashable & Sendable, Rest: Hashable & Sendable>: Hashable, Sendable {
  /// An endpoint of the first transport.
  case first(First)
  /// An endpoint of a later transport.
  case rest(Rest)
}
