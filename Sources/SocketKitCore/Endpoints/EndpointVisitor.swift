/// The operations of a program on an address whose transport is known only at run time. A visitor has one generic
/// method for each kind of transport, which is compiled for every transport in the list.
///
/// ```swift
/// struct Greeting: EndpointVisitor {
///   func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
///     _: S.Type, at endpoint: S.Endpoint
///   ) throws(SocketError) {
///     let socket = try S.connect(to: endpoint, until: .after(.seconds(5)))
///     …
///   }
/// }
/// ```
/// A visitor may omit the methods for transports that it does not support; the default methods throw. With a
/// ``Failure`` other than ``SocketError`` or `any Error` there are no defaults, and a visitor must implement all four
/// methods.
public protocol EndpointVisitor {
  /// The result type of the methods: `Void` unless the visitor names another.
  associatedtype Outcome = Void
  /// The error type of the methods: ``SocketError`` unless the visitor names another.
  associatedtype Failure: Error = SocketError

  /// Uses a transport with byte streams.
  mutating func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(Failure) -> Outcome

  /// Uses a transport with sequenced packets.
  mutating func packets<S: Transport & SequencedPacketSocket & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(Failure) -> Outcome

  /// Uses a transport with datagrams.
  mutating func datagrams<S: Transport & DatagramSocket & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(Failure) -> Outcome

  /// Uses a transport of another kind.
  mutating func other<S: Transport & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(Failure) -> Outcome
}

/// Returns the error of a visitor that does not support this kind of transport.
@usableFromInline
func unwanted(_ address: String, _ kind: String) -> SocketError {
  SocketError(code: .wrongSocketKind, .open).with(
    address: address,
    explanation: "\(kind) cannot be used for this: take an address of another transport.")
}

extension EndpointVisitor where Failure == SocketError {
  @inlinable
  public mutating func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(SocketError) -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "A stream")
  }

  @inlinable
  public mutating func packets<S: Transport & SequencedPacketSocket & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(SocketError) -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "Sequenced packets")
  }

  @inlinable
  public mutating func datagrams<S: Transport & DatagramSocket & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(SocketError) -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "Datagrams")
  }

  @inlinable
  public mutating func other<S: Transport & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws(SocketError) -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "This transport")
  }
}

extension EndpointVisitor where Failure == any Error {
  @inlinable
  public mutating func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "A stream")
  }

  @inlinable
  public mutating func packets<S: Transport & SequencedPacketSocket & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "Sequenced packets")
  }

  @inlinable
  public mutating func datagrams<S: Transport & DatagramSocket & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "Datagrams")
  }

  @inlinable
  public mutating func other<S: Transport & ~Copyable>(
    _ type: S.Type, at endpoint: S.Endpoint
  ) throws -> Outcome {
    throw unwanted(S.endpointFormat.text(of: endpoint), "This transport")
  }
}
