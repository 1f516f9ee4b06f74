/// The operations of a program on an address whose transport is known only at run time. A visitor has one generic
/// method for each kind of transport, which is compiled for every transport in the list.
///
/// ```swift
/// struct Greeting: EndpointVisitor {
///   func stream<S: NamedConnectionTransport & StreamSocket & ~Copyable>(
///     _: S.Type, at location: S.Location
///   ) throws(EndpointError) {
///     let socket = try S.connect(at: location, until: .after(.seconds(5)))
///     …
///   }
/// }
/// ```
/// A visitor may omit the methods for transports that it does not support; the default methods throw. With a
/// ``Failure`` other than ``EndpointError`` or `any Error` there are no defaults, and a visitor must implement all four
/// methods.
public protocol EndpointVisitor {
  /// The result type of the methods: `Void` unless the visitor names another.
  associatedtype Outcome = Void
  /// The error type of the methods: ``EndpointError`` unless the visitor names another.
  associatedtype Failure: Error = EndpointError

  /// Uses a transport with byte streams.
  mutating func stream<S: NamedConnectionTransport & StreamSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome

  /// Uses a transport with sequenced packets.
  mutating func packets<S: NamedConnectionTransport & SequencedPacketSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome

  /// Uses a transport with datagrams.
  mutating func datagrams<S: NamedTransport & DatagramSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome

  /// Uses a transport of another kind.
  mutating func other<S: NamedTransport & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome
}

/// Returns the error of a visitor that does not support this kind of transport.
@usableFromInline
func unwanted(_ address: String, _ kind: String) -> EndpointError {
  EndpointError(
    SocketError(code: .wrongSocketKind, .open), address: address,
    explanation: "\(kind) cannot be used for this: take an address of another transport.")
}

extension EndpointVisitor where Failure == EndpointError {
  @inlinable
  public mutating func stream<S: NamedConnectionTransport & StreamSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(EndpointError) -> Outcome {
    throw unwanted(S.text(of: location), "A stream")
  }

  @inlinable
  public mutating func packets<S: NamedConnectionTransport & SequencedPacketSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(EndpointError) -> Outcome {
    throw unwanted(S.text(of: location), "Sequenced packets")
  }

  @inlinable
  public mutating func datagrams<S: NamedTransport & DatagramSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(EndpointError) -> Outcome {
    throw unwanted(S.text(of: location), "Datagrams")
  }

  @inlinable
  public mutating func other<S: NamedTransport & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(EndpointError) -> Outcome {
    throw unwanted(S.text(of: location), "This transport")
  }
}

extension EndpointVisitor where Failure == any Error {
  @inlinable
  public mutating func stream<S: NamedConnectionTransport & StreamSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws -> Outcome {
    throw unwanted(S.text(of: location), "A stream")
  }

  @inlinable
  public mutating func packets<S: NamedConnectionTransport & SequencedPacketSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws -> Outcome {
    throw unwanted(S.text(of: location), "Sequenced packets")
  }

  @inlinable
  public mutating func datagrams<S: NamedTransport & DatagramSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws -> Outcome {
    throw unwanted(S.text(of: location), "Datagrams")
  }

  @inlinable
  public mutating func other<S: NamedTransport & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws -> Outcome {
    throw unwanted(S.text(of: location), "This transport")
  }
}
