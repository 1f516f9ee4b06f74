public import SocketKitCore

/// An option that every association has for itself, and the socket as the default for those to come.
///
/// A one-to-one or peeled-off socket has one association: once connected, its options are that association's, whatever
/// ID is given.
public struct SCTPAssociationOption<Value>: Sendable {
  /// How the option is read.
  public let read: @Sendable (RawDescriptor, SCTPAssociationID) throws(SocketError) -> Value
  /// How the option is written.
  public let write: @Sendable (RawDescriptor, SCTPAssociationID, Value) throws(SocketError) -> Void

  public init(
    read: @escaping @Sendable (RawDescriptor, SCTPAssociationID) throws(SocketError) -> Value,
    write: @escaping @Sendable (RawDescriptor, SCTPAssociationID, Value) throws(SocketError) -> Void
  ) {
    self.read = read
    self.write = write
  }
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Reads an option of an association, or the default for those to come.
  /// - Throws: `.invalidArgument` when a one-to-many socket has no such association; `.notSupported`, `.closed`.
  public borrowing func option<Value>(
    _ option: SCTPAssociationOption<Value>, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> Value {
    try option.read(descriptor, association)
  }

  /// Sets an option of an association, of all, or the default for those to come.
  /// - Throws: `.invalidArgument` for a value out of its range, or when a one-to-many socket has no such association;
  ///   `.permissionDenied`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(
    _ option: SCTPAssociationOption<Value>, of association: SCTPAssociationID = .future, to value: Value
  ) throws(SocketError) {
    try option.write(descriptor, association, value)
  }
}
