internal import CSocketKit

/// Something whose socket options can be read and set: a kernel socket or a listener.
public protocol OptionTarget: ~Copyable {
  /// The descriptor that getsockopt(2) and setsockopt(2) are called on.
  var optionDescriptor: RawDescriptor { get }
}

/// A socket that takes the options of the IP levels (ip(7), ipv6(7)).
public protocol IPOptionTarget: OptionTarget, ~Copyable {}

/// A socket that takes the options of tcp(7).
public protocol TCPOptionTarget: IPOptionTarget, ~Copyable {}

extension OptionTarget where Self: ~Copyable {
  /// Reads a socket-level option.
  /// - Throws: `.notSupported` where the kernel lacks it, `.closed`.
  public borrowing func option<Value>(_ option: SocketOption<SocketLevel, Value>) throws(SocketError) -> Value {
    try option.read(optionDescriptor)
  }

  /// Sets a socket-level option.
  /// - Throws: `.permissionDenied`, `.invalidArgument`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(
    _ option: SocketOption<SocketLevel, Value>, to value: Value
  ) throws(SocketError) {
    try option.write(optionDescriptor, value)
  }

  /// Reads an option of any level and number: for those that have no name here.
  ///
  /// - Parameter value: the kernel writes at most its length.
  /// - Returns: the bytes that the kernel wrote.
  /// - Throws: `.notSupported`, `.invalidArgument`, `.closed`.
  public borrowing func rawOption(
    level: Int32, name: Int32, into value: inout MutableRawSpan
  ) throws(SocketError) -> Int {
    let number = optionDescriptor.value
    var length = UInt32(clamping: value.byteCount)
    let result = value.withUnsafeMutableBytes {
      IOResult(raw: csk_getsockopt(number, level, name, $0.baseAddress, &length))
    }
    if result.isFailure { throw SocketError(result, .getOption) }
    return Int(length)
  }

  /// Sets an option of any level and number, to bytes as the kernel wants them.
  /// - Throws: `.notSupported`, `.invalidArgument`, `.permissionDenied`, `.closed`.
  public borrowing func setRawOption(level: Int32, name: Int32, to value: RawSpan) throws(SocketError) {
    let number = optionDescriptor.value
    let result = value.withUnsafeBytes {
      IOResult(
        raw: csk_setsockopt(number, level, name, $0.baseAddress, UInt32(clamping: $0.count)))
    }
    if level == CSK_IPPROTO_UDP { SegmentationSettings.noteChange() }
    if result.isFailure { throw SocketError(result, .setOption) }
  }
}

extension IPOptionTarget where Self: ~Copyable {
  /// Reads an option of the IP levels.
  /// - Throws: `.notSupported` on a socket of the other IP version, `.closed`.
  public borrowing func option<Value>(_ option: SocketOption<IPLevel, Value>) throws(SocketError) -> Value {
    try option.read(optionDescriptor)
  }

  /// Sets an option of the IP levels.
  /// - Throws: `.permissionDenied`, `.invalidArgument`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(_ option: SocketOption<IPLevel, Value>, to value: Value) throws(SocketError) {
    try option.write(optionDescriptor, value)
  }
}

extension TCPOptionTarget where Self: ~Copyable {
  /// Reads an option of the TCP level.
  /// - Throws: `.notSupported`, `.closed`.
  public borrowing func option<Value>(_ option: SocketOption<TCPLevel, Value>) throws(SocketError) -> Value {
    try option.read(optionDescriptor)
  }

  /// Sets an option of the TCP level.
  /// - Throws: `.invalidArgument`, `.noSuchPath` for an unknown congestion control, `.permissionDenied`, `.closed`.
  public borrowing func setOption<Value>(_ option: SocketOption<TCPLevel, Value>, to value: Value) throws(SocketError) {
    try option.write(optionDescriptor, value)
  }
}
