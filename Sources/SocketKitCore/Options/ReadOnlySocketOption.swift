/// A value that the kernel reports about a socket and that a program cannot set. It consists of the function that reads
/// the value.
///
/// `OptionTarget.option(_:)` reads this value as it reads the value of a ``SocketOption``, but `setOption(_:to:)` does
/// not accept this type. `Group` has the same meaning as in ``SocketOption``. Other packages can define options of this
/// type:
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

  /// Creates an option from the function that reads its value.
  public init(read: @escaping @Sendable (RawDescriptor) throws(SocketError) -> Value) { self.read = read }
}
