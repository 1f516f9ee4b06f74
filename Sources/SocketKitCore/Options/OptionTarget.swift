internal import CSocketKit

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

  /// Sets an option.
  /// - Throws: `.permissionDenied`, `.invalidArgument`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(
    _ option: SocketOption<Options, Value>, to value: Value
  ) throws(SocketError) {
    try option.write(descriptor, value)
  }

  /// Reads an option of any level and number. Use it for options that have no name here.
  ///
  /// - Parameter value: receives the option; the kernel writes at most its length.
  /// - Returns: the number of bytes that the kernel wrote.
  /// - Throws: `.notSupported`, `.invalidArgument`, `.closed`.
  public borrowing func rawOption(
    level: Int32, name: Int32, into value: inout MutableRawSpan
  ) throws(SocketError) -> Int {
    let number = descriptor.value
    var length = UInt32(clamping: value.byteCount)
    let result = value.withUnsafeMutableBytes {
      IOResult(raw: csk_getsockopt(number, level, name, $0.baseAddress, &length))
    }
    if result.isFailure { throw SocketError(result, .getOption) }
    return Int(length)
  }

  /// Sets an option of any level and number to bytes in the kernel's format.
  /// - Throws: `.notSupported`, `.invalidArgument`, `.permissionDenied`, `.closed`.
  public borrowing func setRawOption(level: Int32, name: Int32, to value: RawSpan) throws(SocketError) {
    let number = descriptor.value
    let result = value.withUnsafeBytes {
      IOResult(
        raw: csk_setsockopt(number, level, name, $0.baseAddress, UInt32(clamping: $0.count)))
    }
    if level == CSK_IPPROTO_UDP { SegmentationSettings.noteChange() }
    if result.isFailure { throw SocketError(result, .setOption) }
  }
}
