public import SocketKitCore

/// An option of each association, for which the socket holds the default for future associations.
///
/// A one-to-one or peeled-off socket has one association. Once it is connected, its options are those of that
/// association, regardless of the given ID.
public struct SCTPAssociationOption<Value>: Sendable {
  /// Reads the option.
  public let read: @Sendable (RawDescriptor, SCTPAssociationID) throws(SocketError) -> Value
  /// Writes the option.
  public let write: @Sendable (RawDescriptor, SCTPAssociationID, Value) throws(SocketError) -> Void

  /// Creates an option from the functions that read and write it.
  public init(
    read: @escaping @Sendable (RawDescriptor, SCTPAssociationID) throws(SocketError) -> Value,
    write: @escaping @Sendable (RawDescriptor, SCTPAssociationID, Value) throws(SocketError) -> Void
  ) {
    self.read = read
    self.write = write
  }
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Reads an option of one association, or the default for future associations.
  /// - Throws: `.invalidArgument` if a one-to-many socket has no such association; `.notSupported`, `.closed`.
  public borrowing func option<Value>(
    _ option: SCTPAssociationOption<Value>, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> Value {
    try option.read(descriptor, association)
  }

  /// Sets an option of one association, of all associations, or the default for future associations.
  /// - Throws: `.invalidArgument` for a value out of its range, or if a one-to-many socket has no such association;
  ///   `.permissionDenied`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(
    _ option: SCTPAssociationOption<Value>, of association: SCTPAssociationID = .future, to value: Value
  ) throws(SocketError) {
    try option.write(descriptor, association, value)
  }
}
