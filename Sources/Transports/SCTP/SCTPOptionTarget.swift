public import SocketKitCore

/// The options of SCTP (RFC 6458, 8): IPPROTO_SCTP.
public enum SCTPLevel {}

/// A socket that takes the options of SCTP: one-to-one, one-to-many, peeled off, or a listener.
public protocol SCTPOptionTarget: IPOptionTarget, ~Copyable {}

extension Listener: SCTPOptionTarget where S: SCTPOptionTarget & ~Copyable {}

extension SCTPOptionTarget where Self: ~Copyable {
  /// Reads an option of the SCTP level.
  /// - Throws: `.notSupported` where the kernel or this kind of socket lacks it, `.closed`.
  public borrowing func option<Value>(_ option: SocketOption<SCTPLevel, Value>) throws(SocketError) -> Value {
    try option.read(optionDescriptor)
  }

  /// Sets an option of the SCTP level.
  /// - Throws: `.invalidArgument`, `.permissionDenied`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(
    _ option: SocketOption<SCTPLevel, Value>, to value: Value
  ) throws(SocketError) {
    try option.write(optionDescriptor, value)
  }
}
