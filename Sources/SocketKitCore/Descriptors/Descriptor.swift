public import CSocketKit

/// The one owner of an open descriptor: it closes when its life ends.
///
/// Move-only, so that no second owner can exist, and no use after close compiles. A copy of the number is
/// ``RawDescriptor``, which cannot close. Every descriptor that SocketKit makes is CLOEXEC and non-blocking; one that
/// another process passed is CLOEXEC, and blocks or not as its sender left it.
@frozen
public struct Descriptor: ~Copyable, Sendable {
  /// The number, for system calls and pollers while this owner lives.
  public let raw: RawDescriptor

  /// Takes over a number, such as one that a C function returned.
  ///
  /// The caller promises that the descriptor is open, and that nothing else owns it. `init(adopting:)` of a socket type
  /// makes a descriptor of it that is CLOEXEC and non-blocking; `init(owning:)` expects both.
  @unsafe @inlinable
  public init(unsafeOwning raw: RawDescriptor) { self.raw = raw }

  @inlinable
  deinit { _ = csk_close(raw.value) }

  /// Gives the number away: whoever takes it closes it.
  @inlinable
  public consuming func release() -> RawDescriptor {
    let number = raw
    discard self
    return number
  }

  /// Closes now and says what the kernel said. The descriptor is gone in every case (close(2), "Dealing with error
  /// returns"): do not close again.
  ///
  /// - Throws: what close(2) reports, such as EIO. EINTR is no failure on Linux and is not reported.
  @inlinable
  public consuming func close() throws(SocketError) {
    let result = attemptClose()
    if result.isFailure && !result.isInterrupted { throw SocketError(result, .close) }
  }

  /// For implementers of sockets: closes now.
  /// - Returns: 0 or -errno, EINTR included, which is no failure on Linux. The descriptor is closed in every case.
  @inlinable
  public consuming func attemptClose() -> IOResult {
    let number = raw
    discard self
    return IOResult(raw: csk_close(number.value))
  }

  /// A second descriptor for the same open socket (fcntl(2) F_DUPFD_CLOEXEC).
  ///
  /// A poller keeps watching until the last copy is closed: deregister before closing the one that was registered.
  public borrowing func duplicate() throws(SocketError) -> Descriptor { try raw.duplicate() }
}
