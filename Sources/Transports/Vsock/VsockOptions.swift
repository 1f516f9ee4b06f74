internal import CSocketKit
public import SocketKitCore

/// The options that vsock sockets take: those of vsock(7).
public enum VsockSocketOptions {}

extension SocketOption where Group == VsockSocketOptions, Value == Int {
  /// The receive buffer in bytes, 262144 at first: what a peer may send before this end reads, and the longest packet
  /// that it can send. The kernel moves a value silently to the next one between ``bufferMinimum`` and ``bufferMaximum``
  /// (raise that first); read it back. New kernels also cap what this end sends ahead to it. The C name is
  /// `SO_VM_SOCKETS_BUFFER_SIZE`.
  public static var bufferSize: Self { Self(size: CSK_SO_VM_SOCKETS_BUFFER_SIZE) }
  /// The largest ``bufferSize`` in bytes, 262144 at first. Below the size now, it lowers it. The C name is
  /// `SO_VM_SOCKETS_BUFFER_MAX_SIZE`.
  public static var bufferMaximum: Self { Self(size: CSK_SO_VM_SOCKETS_BUFFER_MAX_SIZE) }
  /// The smallest ``bufferSize`` in bytes, 128 at first. Above the size now, it raises it. The C name is
  /// `SO_VM_SOCKETS_BUFFER_MIN_SIZE`.
  public static var bufferMinimum: Self { Self(size: CSK_SO_VM_SOCKETS_BUFFER_MIN_SIZE) }

  private init(size name: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in
        var value: UInt64 = 0
        var length: UInt32 = 8
        let result = IOResult(raw: csk_getsockopt(target.value, CSK_AF_VSOCK, name, &value, &length))
        if result.isFailure { throw SocketError(result, .getOption) }
        return Int(clamping: value)
      },
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in
        guard var bytes = UInt64(exactly: value) else { throw SocketError(code: .invalidArgument, .setOption) }
        let result = IOResult(raw: csk_setsockopt(target.value, CSK_AF_VSOCK, name, &bytes, 8))
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}

extension SocketOption where Group == VsockSocketOptions, Value == Duration {
  /// How long the kernel tries to connect before `.timedOut`: 2 seconds at first, in microseconds, rounded up to the
  /// kernel's tick (4 ms at 250 Hz). Zero sets the 2 seconds again; a negative time is `.invalidArgument`.
  ///
  /// `connect(to:until:)` sets it to what is left until its deadline, so that the deadline alone decides; set it in
  /// `configure` for an earlier end. The C name is `SO_VM_SOCKETS_CONNECT_TIMEOUT`.
  public static var connectTimeout: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Duration in
        var value = csk_timeval()
        var length = UInt32(MemoryLayout<csk_timeval>.size)
        let result = IOResult(
          raw: csk_getsockopt(target.value, CSK_AF_VSOCK, CSK_SO_VM_SOCKETS_CONNECT_TIMEOUT, &value, &length))
        if result.isFailure { throw SocketError(result, .getOption) }
        return .seconds(value.tv_sec) + .microseconds(value.tv_usec)
      },
      write: { (target: RawDescriptor, value: Duration) throws(SocketError) in
        let (seconds, attoseconds) = value.components
        // Rounded up, or a time below a microsecond would mean the default.
        let microseconds = (attoseconds + 999_999_999_999) / 1_000_000_000_000
        guard seconds >= 0, attoseconds >= 0, seconds < Int64.max else {
          throw SocketError(code: .invalidArgument, .setOption)
        }
        var time = csk_timeval(
          tv_sec: Int(seconds + microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        let result = IOResult(
          raw: csk_setsockopt(
            target.value, CSK_AF_VSOCK, CSK_SO_VM_SOCKETS_CONNECT_TIMEOUT, &time,
            UInt32(MemoryLayout<csk_timeval>.size)))
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }
}
