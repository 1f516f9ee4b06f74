public import CSocketKit

/// Whether a listener was shut down. It has its own memory, because accepting threads only borrow the listener.
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
  /// Shuts down a listening socket. Wakes the accepts and the pollers that wait on it where the kernel supports that.
  func attemptShutdownOfListener() -> IOResult {
    // While an SCTP socket listens, poll(2) checks only for waiting connections (net/sctp/socket.c, sctp_poll). So the
    // socket must stop listening before the wake-up; a backlog of 0 does that.
    var number: Int32 = 0
    var length: UInt32 = 4
    let asked = csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_PROTOCOL, &number, &length)
    if asked >= 0 && number == CSK_IPPROTO_SCTP { _ = csk_listen(value, 0) }
    let result = attemptShutdown(.both)
    // ENOTCONN: vsock refuses, so only the mark and the notice have an effect. SCTP shuts down and still returns
    // ENOTCONN.
    return result.errno == CSK_ENOTCONN ? .zero : result
  }
}
