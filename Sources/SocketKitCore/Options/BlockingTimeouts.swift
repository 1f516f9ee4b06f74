internal import CSocketKit

// These options affect only calls on blocking descriptors, for example in a program to which a descriptor is passed.
// SocketKit's own calls use non-blocking descriptors, so these options do not affect them. Pass a ``Deadline`` to
// SocketKit's calls instead.

extension SocketOption where Value == Duration {
  /// The time that a blocking receive or accept call waits before it fails with EAGAIN. Zero, the default, means no
  /// limit. The time is rounded up to microseconds, and the kernel rounds it up to its clock tick. The option has no
  /// effect on non-blocking sockets. The C name is `SO_RCVTIMEO`.
  public static var receiveTimeout: Self { Self(timeout: CSK_SO_RCVTIMEO) }
  /// The time that a blocking send call waits before it fails with EAGAIN. A blocking connect call waits for the same
  /// time, and then fails with EAGAIN on a Unix socket, and with EINPROGRESS on a TCP socket, which continues to
  /// connect. Zero, the default, means no limit. The time is rounded up to microseconds, and the kernel rounds it up to
  /// its clock tick. The option has no effect on non-blocking sockets. The C name is `SO_SNDTIMEO`.
  public static var sendTimeout: Self { Self(timeout: CSK_SO_SNDTIMEO) }

  /// Creates an option whose value is a struct timeval.
  private init(timeout name: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration in
        var value = csk_timeval()
        var length = 0
        // The structure consists of integers.
        let result = unsafe target.readOption(CSK_SOL_SOCKET, name, intoStructure: &value, &length)
        if result.isFailure { throw SocketError(result, .getOption) }
        return .seconds(value.tv_sec) + .microseconds(value.tv_usec)
      },
      write: { (target: RawDescriptor, timeout: Duration) throws(SocketError) in
        let (seconds, attoseconds) = timeout.components
        guard seconds >= 0 && attoseconds >= 0 else { throw SocketError(code: .invalidArgument, .setOption) }
        var value = csk_timeval(tv_sec: Int(clamping: seconds), tv_usec: 0)
        let microseconds = (attoseconds + 999_999_999_999) / 1_000_000_000_000
        if microseconds < 1_000_000 {
          value.tv_usec = Int(microseconds)
        } else if value.tv_sec < .max {
          value.tv_sec += 1
        }
        let result = target.writeOption(CSK_SOL_SOCKET, name, value)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}
