internal import CSocketKit

/// What a socket or poller operation failed with: trivial, so that throwing and catching it costs no allocation and no
/// reference count.
///
/// It holds numbers only. The text, the classification and the remedy are computed when asked for. A would-block result
/// and the end of a stream are no errors: see ``IOOutcome``. Errors that concern an address are ``EndpointError``.
@frozen
public struct SocketError: Error, BitwiseCopyable, Hashable, Sendable {
  /// The kernel's error number (errno(3)), or 0 where the kernel had no part: a deadline, a cancel, a check of ours.
  public let errno: Int32
  /// What was being done.
  public let operation: Operation
  @usableFromInline let ownCode: Code
  /// Bytes that this call had moved before it failed: non-zero only for calls that move more than one system call can,
  /// such as `writeAll` and `readExactly`.
  public let transferred: Int

  /// An error from the kernel.
  /// - Parameters:
  ///   - result: a failed result; its number becomes ``errno``.
  ///   - operation: what was being done.
  @inlinable
  public init(_ result: IOResult, _ operation: Operation) {
    errno = Int32(truncatingIfNeeded: 0 &- result.raw)
    self.operation = operation
    ownCode = .derived
    transferred = 0
  }

  /// An error with a code of its own.
  /// - Parameters:
  ///   - code: the classification.
  ///   - operation: what was being done.
  ///   - errno: the kernel's number where there is one.
  ///   - transferred: bytes moved before the failure.
  @inlinable
  public init(code: Code, _ operation: Operation, errno: Int32 = 0, transferred: Int = 0) {
    self.errno = errno
    self.operation = operation
    ownCode = code
    self.transferred = transferred
  }

  /// The same error, with the bytes that had been moved before it.
  @inlinable
  public func after(transferring count: Int) -> SocketError {
    SocketError(code: ownCode, operation, errno: errno, transferred: count)
  }

  /// The classification: what a program decides by.
  public var code: Code { ownCode == .derived ? Code(errno: errno) : ownCode }
}

extension SocketError: CustomStringConvertible {
  /// Operation, what happened, the errno's name and number, and the remedy where one is known.
  public var description: String { text(subject: nil) }

  func text(subject: String?) -> String {
    var text = operation.description
    if let subject { text += " \(subject)" }
    text += ": \(code)"
    if errno != 0 { text += " (\(errnoName(errno)), errno \(errno))" }
    if transferred != 0 { text += ", after \(transferred) bytes" }
    if let remedy { text += ". \(remedy)" }
    return text
  }
}
