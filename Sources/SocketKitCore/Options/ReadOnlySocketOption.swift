/// A value that the kernel reports about a socket and that a program cannot set: the function that reads it.
///
/// `OptionTarget.option(_:)` reads it like a ``SocketOption``, and `setOption(_:to:)` does not accept it. `Group` is as
/// for ``SocketOption``, and other packages can make their own:
/// ```swift
/// extension ReadOnlySocketOption where Group == MySocketOptions, Value == Int {
///   public static var credit: Self {
///     let option = SocketOption<Group, Int>(integer: 11, level: 200)
///     return Self(read: option.read)
///   }
/// }
/// ```
public struct ReadOnlySocketOption<Group, Value: ~Copyable>: Sendable {
  /// The function that reads the value.
  public let read: @Sendable (RawDescriptor) throws(SocketError) -> Value

  /// Creates an option from the function that reads it.
  public init(read: @escaping @Sendable (RawDescriptor) throws(SocketError) -> Value) { self.read = read }
}
