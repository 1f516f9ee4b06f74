/// The operations that a program performs on an address whose transport is known only at run time. A visitor has one
/// generic method for each kind of transport. The compiler specializes this method for every transport of that kind in
/// the list.
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
/// A visitor may omit the methods for kinds of transports that it does not support; the default implementations throw.
/// If ``Failure`` is neither ``SocketError`` nor `any Error`, there are no default implementations, and a visitor must
/// implement all four methods.
public protocol EndpointVisitor {
  /// The result type of the methods. It is `Void` unless the visitor declares another type.
  associatedtype Outcome = Void
  /// The error type of the methods. It is ``SocketError`` unless the visitor declares another type.
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

/// Returns the error for a kind of transport that the visitor does not support.
@usableFromInline
func unwanted(_ address: String, _ kind: String) -> SocketError {
  SocketError(code: .wrongSocketKind, .open).with(
    address: address,
    explanation: "\(kind) cannot be used for this operation: use an address of another transport.")
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
