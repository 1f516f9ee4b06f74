internal import CSocketKit
public import SocketKitCore

// The kernel reports the loss of a one-to-one socket's association once, to the next call, which may be a send call.
// Afterwards, a read or poll call would wait forever (net/sctp/socket.c).

extension SCTPSocket {
  /// Returns and clears the pending error of the socket (SO_ERROR, socket(7)). Returns nil if there is none.
  ///
  /// If the error means that the association was lost, the call also ends reading and writing.
  ///
  /// - Throws: `.closed`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    let number = try option(SocketOption(integer: CSK_SO_ERROR, level: CSK_SOL_SOCKET))
    if number == 0 { return nil }
    let failure = IOResult.failure(errno: Int32(truncatingIfNeeded: number))
    descriptor.noteFailure(failure)
    return SocketError(failure, operation)
  }
}

extension RawDescriptor {
  /// Ends reading and writing on a one-to-one socket if a call failed because the association was lost.
  ///
  /// Later read calls return the end of the stream, as on TCP. Read calls that are waiting in other threads return.
  @usableFromInline @inline(never)
  func noteFailure(_ result: IOResult) {
    switch result.errno {
    case CSK_ECONNRESET, CSK_ECONNABORTED, CSK_ETIMEDOUT, CSK_ECONNREFUSED:
      if notedFailure == nil { setLowWater(Self.mark | result.errno) }
    case CSK_EPIPE:
      // Other code may have consumed the error, for example the program's own read of SO_ERROR, or a call from another
      // library.
      if hasItsAssociation { return }
    default: return
    }
    // shutdown(2) may fail with ENOTCONN, but only after it has ended both directions.
    _ = csk_shutdown(value, CSK_SHUT_RDWR)
  }

  /// The error that ``noteFailure(_:)`` recorded; nil for none.
  ///
  /// `close(until:)` needs this error, because afterwards the kernel does not distinguish a loss from a graceful end.
  ///
  /// SocketKit stores the error in the option SO_RCVLOWAT, which the kernel's SCTP code does not use
  /// (net/sctp/socket.c).
  var notedFailure: Int32? {
    var number: Int32 = 0
    var length = 0
    let result = readOption(CSK_SOL_SOCKET, CSK_SO_RCVLOWAT, into: &number, &length)
    return result.isFailure || number & ~0xfff != Self.mark ? nil : number & 0xfff
  }

  private func setLowWater(_ number: Int32) {
    _ = writeOption(CSK_SOL_SOCKET, CSK_SO_RCVLOWAT, number)
  }

  /// Returns and clears the pending error of the socket (SO_ERROR); 0 for none.
  func takeError() -> Int32 {
    var number: Int32 = 0
    var length = 0
    return readOption(CSK_SOL_SOCKET, CSK_SO_ERROR, into: &number, &length).isFailure ? 0 : number
  }

  /// The bits that mark a recorded error. No program sets such a large low-water mark.
  private static var mark: Int32 { 0x7c70_0000 }
}
