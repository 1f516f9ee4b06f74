public import CSocketKit

/// The owner of an open descriptor. When the owner is destroyed, it closes the descriptor.
///
/// The type is noncopyable, so a descriptor has one owner, and code that uses a descriptor after closing it does not
/// compile. ``RawDescriptor`` is a copy of the number and cannot close the descriptor. Every descriptor that SocketKit
/// opens is CLOEXEC and non-blocking. A descriptor that another process sent is CLOEXEC; the sender determines whether
/// the descriptor is non-blocking.
@frozen
public struct Descriptor: ~Copyable, Sendable {
  /// The number of the descriptor. Use it for system calls and pollers only while this owner is alive.
  public let raw: RawDescriptor

  /// Takes ownership of a descriptor by its number, such as a number that a C function returned.
  ///
  /// The caller guarantees that the descriptor is open and has no other owner. `init(adopting:)` of a socket type makes
  /// the descriptor CLOEXEC and non-blocking. `init(owning:)` requires that the descriptor already is CLOEXEC and
  /// non-blocking.
  @unsafe @inlinable
  public init(unsafeOwning raw: RawDescriptor) { self.raw = raw }

  @inlinable
  deinit { _ = csk_close(raw.value) }

  /// Gives up ownership and returns the number. The caller must close the descriptor.
  @inlinable
  public consuming func release() -> RawDescriptor {
    let number = raw
    discard self
    return number
  }

  /// Closes the descriptor and reports the kernel's error. The descriptor is closed even after an error (close(2),
  /// "Dealing with error returns"): do not close it again.
  ///
  /// - Throws: the error of close(2), such as EIO. EINTR is not an error on Linux and is not reported.
  @inlinable
  public consuming func close() throws(SocketError) {
    let result = attemptClose()
    if result.isFailure && !result.isInterrupted { throw SocketError(result, .close) }
  }

  /// Closes the descriptor and returns the result of close(2). This method is for implementers of socket types.
  /// - Returns: 0 or -errno. This includes EINTR, which is not an error on Linux. The descriptor is closed in every
  ///   case.
  @inlinable
  public consuming func attemptClose() -> IOResult {
    let number = raw
    discard self
    return IOResult(raw: csk_close(number.value))
  }
}
