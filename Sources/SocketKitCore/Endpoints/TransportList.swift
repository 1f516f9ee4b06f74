/// The transports among which an address chooses by its scheme: a list of types, so that what is done at an address is
/// compiled for each of them, and nothing is looked up but a name.
///
/// A program adds a transport of its own in front of the others:
/// ```swift
/// typealias MyTransports = Transports<MySocket, AllTransports>
/// let address = try Endpoint<MyTransports>(parsing: "my:whatever")
/// ```
/// Of two with the same scheme the first counts. Only ``NoTransports`` and ``Transports`` conform.
public protocol TransportList: Sendable {
  /// A location of any of the transports.
  associatedtype Value: Hashable, Sendable

  /// The schemes, in order.
  static var schemes: [String] { get }

  /// Reads the body as the transport of the scheme does; nil when there is none.
  /// - Throws: ``EndpointError/malformed(_:code:)``.
  static func value(of text: EndpointText) throws(EndpointError) -> Value?

  static func text(of value: Value) -> EndpointText

  static func visit<V: EndpointVisitor>(_ value: Value, with visitor: inout V) throws(V.Failure) -> V.Outcome
}

/// The end of a list.
@frozen
public enum NoTransports: TransportList {
  public static var schemes: [String] { [] }

  public static func value(of text: EndpointText) throws(EndpointError) -> Never? { nil }

  public static func text(of value: Never) -> EndpointText {}

  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ value: Never, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {}
}

/// A transport in front of others.
@frozen
public enum Transports<First: NamedTransport & ~Copyable, Rest: TransportList>: TransportList {
  public typealias Value = FirstOrRest<First.Location, Rest.Value>

  public static var schemes: [String] { [First.scheme] + Rest.schemes }

  public static func value(of text: EndpointText) throws(EndpointError) -> Value? {
    if text.scheme == First.scheme { return .first(try First.Location(endpointBody: text.body)) }
    return try Rest.value(of: text).map { .rest($0) }
  }

  public static func text(of value: Value) -> EndpointText {
    switch value {
    case .first(let location): EndpointText(scheme: First.scheme, body: location.endpointBody)
    case .rest(let other): Rest.text(of: other)
    }
  }

  @inlinable
  public static func visit<V: EndpointVisitor>(
    _ value: Value, with visitor: inout V
  ) throws(V.Failure) -> V.Outcome {
    switch value {
    case .first(let location): try First.visit(location, with: &visitor)
    case .rest(let other): try Rest.visit(other, with: &visitor)
    }
  }
}

/// The location of a list's first transport, or of another.
@frozen
public enum FirstOrRest<First: Hashable & Sendable, Rest: Hashable & Sendable>: Hashable, Sendable {
  case first(First)
  case rest(Rest)
}
