public import CSocketKit

/// Whether a listener was shut down. The flag is allocated separately, because ``Listener/shutdown()`` only borrows the
/// listener and cannot modify its stored properties.
@frozen @safe
@usableFromInline
struct ShutdownMark: ~Copyable, @unchecked Sendable {
  // The flag is initialized, it exists as long as the mark exists, and all accesses to it are atomic.
  @usableFromInline let flag: UnsafeMutablePointer<UInt32>

  @inlinable
  init() {
    unsafe flag = .allocate(capacity: 1)
    unsafe flag.initialize(to: 0)
  }

  @inlinable
  deinit { unsafe flag.deallocate() }

  @inlinable var isSet: Bool { unsafe csk_flag_load(flag) != 0 }
  func set() { _ = unsafe csk_flag_exchange(flag, 1) }
}

extension RawDescriptor {
  /// Shuts down a listening socket, and wakes the threads that wait for it. Pollers report the socket as ready, unless
  /// the kernel refuses the shutdown (vsock).
  func attemptShutdownOfListener() -> IOResult {
    // While an SCTP socket listens, poll(2) checks only whether a connection waits to be accepted (net/sctp/socket.c,
    // sctp_poll). Therefore, the socket must stop listening before the wake-up: listen(2) with a backlog of 0 has this
    // effect.
    if (try? integerOption(CSK_SOL_SOCKET, CSK_SO_PROTOCOL)) == Int(CSK_IPPROTO_SCTP) { _ = csk_listen(value, 0) }
    let result = attemptShutdown(.both)
    // ENOTCONN is not an error here. vsock refuses the shutdown, but `attemptShutdown` still wakes the waiting threads,
    // which then check the flag. SCTP shuts the socket down although it returns ENOTCONN.
    return result.errno == CSK_ENOTCONN ? .zero : result
  }
}
