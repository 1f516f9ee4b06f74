internal import CSocketKit
public import SocketKitCore

/// The options of vsock sockets: those of vsock(7).
public enum VsockSocketOptions {}

extension SocketOption where Group == VsockSocketOptions, Value == Int {
  /// The size of the receive buffer in bytes, initially 262144.
  ///
  /// This option is the limit for the amount of data that the peer can send before this end reads. It is also the limit
  /// for the length of the peer's packets. The kernel silently clamps the value to the range from ``bufferMinimum`` to
  /// ``bufferMaximum`` (raise the maximum first). Read the option back for the effective value. Newer kernels also
  /// apply this limit to the data that this end has sent and that the peer has not read yet. The C name is
  /// `SO_VM_SOCKETS_BUFFER_SIZE`.
  public static var bufferSize: Self { Self(size: CSK_SO_VM_SOCKETS_BUFFER_SIZE) }
  /// The largest permitted ``bufferSize`` in bytes, initially 262144. A maximum below the current size lowers the size.
  /// The C name is `SO_VM_SOCKETS_BUFFER_MAX_SIZE`.
  public static var bufferMaximum: Self { Self(size: CSK_SO_VM_SOCKETS_BUFFER_MAX_SIZE) }
  /// The smallest permitted ``bufferSize`` in bytes, initially 128. A minimum above the current size raises the size.
  /// The C name is `SO_VM_SOCKETS_BUFFER_MIN_SIZE`.
  public static var bufferMinimum: Self { Self(size: CSK_SO_VM_SOCKETS_BUFFER_MIN_SIZE) }

  private init(size name: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in
        var value: UInt64 = 0
        var length = 0
        let result = target.readOption(CSK_AF_VSOCK, name, into: &value, &length)
        if result.isFailure { throw SocketError(result, .getOption) }
        return Int(clamping: value)
      },
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in
        guard let size = UInt64(exactly: value) else { throw SocketError(code: .invalidArgument, .setOption) }
        let result = target.writeOption(CSK_AF_VSOCK, name, size)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}

extension SocketOption where Group == VsockSocketOptions, Value == Duration {
  /// The time for which the kernel tries to connect before the call fails with `.timedOut`, initially 2 seconds.
  ///
  /// The time is rounded up to microseconds, and the kernel rounds it up to its clock tick (4 ms at 250 Hz). Zero
  /// restores the default of 2 seconds. A negative time throws `.invalidArgument`.
  ///
  /// `connect(to:until:)` sets the option to the time that remains until its deadline, so that only the deadline limits
  /// the call. To set a shorter limit, set the option in `configure`. The C name is `SO_VM_SOCKETS_CONNECT_TIMEOUT`.
  public static var connectTimeout: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration in
        var value = csk_timeval()
        var length = 0
        // The structure consists of integers.
        let result = unsafe target.readOption(
          CSK_AF_VSOCK, CSK_SO_VM_SOCKETS_CONNECT_TIMEOUT, intoStructure: &value, &length)
        if result.isFailure { throw SocketError(result, .getOption) }
        return .seconds(value.tv_sec) + .microseconds(value.tv_usec)
      },
      write: { (target: RawDescriptor, value: Duration) throws(SocketError) in
        let (seconds, attoseconds) = value.components
        // The time is rounded up, because a time below one microsecond would otherwise become 0, which means the
        // default.
        let microseconds = (attoseconds + 999_999_999_999) / 1_000_000_000_000
        guard seconds >= 0, attoseconds >= 0, seconds < Int64.max else {
          throw SocketError(code: .invalidArgument, .setOption)
        }
        let time = csk_timeval(
          tv_sec: Int(seconds + microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        let result = target.writeOption(CSK_AF_VSOCK, CSK_SO_VM_SOCKETS_CONNECT_TIMEOUT, time)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}
