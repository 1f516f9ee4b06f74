internal import CSocketKit

// For descriptors that are made blocking, or passed to a program that blocks on them. SocketKit's own calls never block
// in the kernel, so these options have no effect on them: pass a ``Deadline`` instead.

extension SocketOption where Value == Duration {
  /// The time that a blocking receive or accept waits before it fails with EAGAIN; zero, the default, means no limit.
  /// Rounded up to a microsecond, and by the kernel to its clock tick. Has no effect on non-blocking sockets. The C
  /// name is `SO_RCVTIMEO`.
  public static var receiveTimeout: Self { Self(timeout: CSK_SO_RCVTIMEO) }
  /// The time that a blocking send or connect waits before it fails with EAGAIN; zero, the default, means no limit.
  /// Rounded up to a microsecond, and by the kernel to its clock tick. Has no effect on non-blocking sockets. The C
  /// name is `SO_SNDTIMEO`.
  public static var sendTimeout: Self { Self(timeout: CSK_SO_SNDTIMEO) }

  /// Makes an option that is a struct timeval.
  private init(timeout name: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration in
        var value = csk_timeval()
        var length = UInt32(MemoryLayout<csk_timeval>.size)
        let result = IOResult(raw: csk_getsockopt(target.value, CSK_SOL_SOCKET, name, &value, &length))
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
        let result = IOResult(
          raw: csk_setsockopt(target.value, CSK_SOL_SOCKET, name, &value, UInt32(MemoryLayout<csk_timeval>.size)))
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}
