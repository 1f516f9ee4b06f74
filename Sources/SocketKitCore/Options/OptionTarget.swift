/// A type whose socket options can be read and set: a socket that owns one descriptor, or a listener.
public protocol OptionTarget: ~Copyable {
  /// The options that the descriptor accepts: a type without instances, such as `TCPSocketOptions`. It is the `Group`
  /// of its own ``SocketOption`` values, and conforms to the marker protocols of the options that it shares with other
  /// sockets. A socket that accepts only the options of socket(7) uses ``SocketLevelOptions``.
  associatedtype Options
  /// The descriptor for getsockopt(2) and setsockopt(2), valid during the life of this value.
  var descriptor: RawDescriptor { get }
}

extension OptionTarget where Self: ~Copyable {
  /// Reads an option.
  /// - Throws: `.notSupported` where the kernel lacks it, `.closed`.
  public borrowing func option<Value>(_ option: SocketOption<Options, Value>) throws(SocketError) -> Value {
    try option.read(descriptor)
  }

  /// Reads a value that cannot be set.
  /// - Throws: `.notSupported` where the kernel lacks it, `.closed`, and the errors that the option states.
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
