/// A type whose socket options can be read and set. Listeners conform, and so do sockets that own one descriptor.
public protocol OptionTarget: ~Copyable {
  /// The type that identifies the options of the descriptor: a type without instances, such as `TCPSocketOptions`. The
  /// ``SocketOption`` values of these options have this type as their `Group`. The type conforms to marker protocols,
  /// such as `IPOptions`, for the options that several kinds of sockets accept. A socket that accepts only the
  /// options of socket(7) uses ``SocketLevelOptions``.
  associatedtype Options
  /// The descriptor for getsockopt(2) and setsockopt(2). It is valid until this value is destroyed.
  var descriptor: RawDescriptor { get }
}

extension OptionTarget where Self: ~Copyable {
  /// Reads an option.
  /// - Throws: `.notSupported` if the kernel does not support the option; `.closed`.
  public borrowing func option<Value>(_ option: SocketOption<Options, Value>) throws(SocketError) -> Value {
    try option.read(descriptor)
  }

  /// Reads a value that cannot be set.
  /// - Throws: `.notSupported` if the kernel does not support the value; `.closed`; and the errors in the documentation
  ///   of the option.
  public borrowing func option<Value: ~Copyable>(
    _ option: ReadOnlySocketOption<Options, Value>
  ) throws(SocketError) -> Value {
    try option.read(descriptor)
  }

  /// Sets an option.
  /// - Throws: `.permissionDenied`, `.invalidArgument`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(
    _ option: SocketOption<Options, Value>, to value: Value
  ) throws(SocketError) {
    try option.write(descriptor, value)
  }
}
