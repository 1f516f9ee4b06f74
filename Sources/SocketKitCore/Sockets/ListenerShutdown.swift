public import CSocketKit

/// Whether a listener was shut down. The flag is allocated separately, because threads that accept only borrow the
/// listener and cannot modify its stored properties.
@frozen
@usableFromInline
struct ShutdownMark: ~Copyable, @unchecked Sendable {
  @usableFromInline let flag: UnsafeMutablePointer<UInt32>

  @inlinable
  init() {
    flag = .allocate(capacity: 1)
    flag.initialize(to: 0)
  }

  @inlinable
  deinit { flag.deallocate() }

  @inlinable var isSet: Bool { csk_flag_load(flag) != 0 }
  func set() { _ = csk_flag_exchange(flag, 1) }
}

extension RawDescriptor {
  /// Shuts down a listening socket. If the kernel supports it, wakes the threads and pollers that wait for the socket.
  func attemptShutdownOfListener() -> IOResult {
    // While an SCTP socket listens, poll(2) checks only for waiting connections (net/sctp/socket.c, sctp_poll).
    // Therefore, the socket must stop listening before the wake-up: listen(2) with a backlog of 0 has this effect.
    var number: Int32 = 0
    var length: UInt32 = 4
    let asked = csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_PROTOCOL, &number, &length)
    if asked >= 0 && number == CSK_IPPROTO_SCTP { _ = csk_listen(value, 0) }
    let result = attemptShutdown(.both)
    // ENOTCONN is not an error here. vsock refuses the shutdown, so only the flag and the notice have an effect. SCTP
    // shuts the socket down although it returns ENOTCONN.
    return result.errno == CSK_ENOTCONN ? .zero : result
  }
}
