/// What a program does at an address whose transport is known only at run time: one generic method for each kind of
/// transport, compiled for every transport of the list.
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
/// The methods that a visitor leaves out throw: it says by that what it cannot use. With a ``Failure`` other than
/// ``EndpointError`` or `any Error` it has all four.
public protocol EndpointVisitor {
  /// What the methods give back; name it, unless it is nothing.
  associatedtype Outcome = Void
  /// What they throw; name it, unless it is ``EndpointError``.
  associatedtype Failure: Error = EndpointError

  /// A byte stream.
  mutating func stream<S: NamedConnectionTransport & StreamSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome

  /// Sequenced packets.
  mutating func packets<S: NamedConnectionTransport & SequencedPacketSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome

  /// Datagrams.
  mutating func datagrams<S: NamedTransport & DatagramSocket & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome

  /// A transport that is none of these.
  mutating func other<S: NamedTransport & ~Copyable>(
    _ type: S.Type, at location: S.Location
  ) throws(Failure) -> Outcome
}

/// The failure of a visitor that has no use for this kind of transport.
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
