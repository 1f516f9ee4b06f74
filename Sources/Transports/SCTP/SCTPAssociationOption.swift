public import SocketKitCore

/// An option that each association has. The socket has the default for future associations.
///
/// A one-to-one or peeled-off socket has one association. After the socket is connected, its options are the options of
/// that association, regardless of the given ID.
/// ```swift
/// try server.setOption(.event(.associationChange), of: .all, to: true)
/// try server.setOption(.path(to: peer).thresholds, of: association, to: SCTPPathThresholds(potentiallyFailed: 2))
/// ```
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

/// A value that the kernel reports about an association and that a program cannot set.
///
/// ```swift
/// let state = try server.option(.status, of: association).state
/// ```
public struct ReadOnlySCTPAssociationOption<Value>: Sendable {
  /// Reads the value.
  public let read: @Sendable (RawDescriptor, SCTPAssociationID) throws(SocketError) -> Value

  /// Creates an option from the function that reads it.
  public init(read: @escaping @Sendable (RawDescriptor, SCTPAssociationID) throws(SocketError) -> Value) {
    self.read = read
  }
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Reads an option of one association, or the default for future associations.
  /// - Throws: `.invalidArgument` if a one-to-many socket has no such association; `.notSupported`, `.closed`, and the
  ///   errors that are listed for the option.
  public borrowing func option<Value>(
    _ option: SCTPAssociationOption<Value>, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> Value {
    try option.read(descriptor, association)
  }

  /// Reads a read-only value of one association. Some values also exist for the whole socket. To read such a value,
  /// pass `.future`.
  /// - Throws: `.invalidArgument` if the association does not exist, for example if the socket is not connected;
  ///   `.notSupported`, `.closed`, and the errors that are listed for the option.
  public borrowing func option<Value>(
    _ option: ReadOnlySCTPAssociationOption<Value>, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> Value {
    try option.read(descriptor, association)
  }

  /// Sets an option of one association or of all associations, or sets the default for future associations.
  /// - Throws: `.invalidArgument` for a value out of its range, or if a one-to-many socket has no such association;
  ///   `.permissionDenied`, `.notSupported`, `.closed`, and the errors that are listed for the option.
  public borrowing func setOption<Value>(
    _ option: SCTPAssociationOption<Value>, of association: SCTPAssociationID = .future, to value: Value
  ) throws(SocketError) {
    try option.write(descriptor, association, value)
  }
}
