internal import CSocketKit
public import SocketKitCore

// The kernel reports the loss of a one-to-one socket's association once, to the first call that follows, which may be a
// send. After that, a read would block for ever, and a poll would wait for ever (net/sctp/socket.c).

extension SCTPSocket {
  /// Takes the pending error of the socket, which the kernel then clears (SO_ERROR). When the association was lost, this
  /// ends reading and writing.
  /// - Throws: `.closed`.
  public borrowing func takePendingError(
    as operation: SocketError.Operation = .wait
  ) throws(SocketError) -> SocketError? {
    var number = InlineArray<1, Int32>(repeating: 0)
    var span = number.mutableSpan
    var bytes = span.mutableBytes
    _ = try rawOption(level: CSK_SOL_SOCKET, name: CSK_SO_ERROR, into: &bytes)
    if number[0] == 0 { return nil }
    descriptor.noteFailure(.failure(errno: number[0]))
    return SocketError(.failure(errno: number[0]), operation)
  }
}

extension RawDescriptor {
  /// Ends reading and writing of a one-to-one socket when a call failed because the association was lost: then reads
  /// report the end, as they do on TCP, and reads that wait in other threads wake.
  @usableFromInline @inline(never)
  func noteFailure(_ result: IOResult) {
    switch result.errno {
    case CSK_ECONNRESET, CSK_ECONNABORTED, CSK_ETIMEDOUT, CSK_ECONNREFUSED:
      if notedFailure == nil { setLowWater(Self.mark | result.errno) }
    case CSK_EPIPE:
      // Another call may have taken the error: an option read by its number, or a call of another library.
      if hasItsAssociation { return }
    default: return
    }
    // The call may return ENOTCONN, but only after it has ended both directions.
    _ = csk_shutdown(value, CSK_SHUT_RDWR)
  }

  /// The error of ``noteFailure(_:)``; nil when there was none. `close(until:)` needs it: the kernel does
  /// not tell a loss from an orderly end afterwards.
  ///
  /// The library stores it in SO_RCVLOWAT, which SCTP does not read (net/sctp/socket.c).
  var notedFailure: Int32? {
    var number: Int32 = 0
    var length: UInt32 = 4
    let result = csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_RCVLOWAT, &number, &length)
    return result < 0 || number & ~0xfff != Self.mark ? nil : number & 0xfff
  }

  private func setLowWater(_ number: Int32) {
    var number = number
    _ = csk_setsockopt(value, CSK_SOL_SOCKET, CSK_SO_RCVLOWAT, &number, 4)
  }

  /// The pending error of a socket, which reading clears (SO_ERROR); 0 when there is none.
  func takeError() -> Int32 {
    var number: Int32 = 0
    var length: UInt32 = 4
    return csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_ERROR, &number, &length) < 0 ? 0 : number
  }

  /// A low-water mark above any that a program sets.
  private static var mark: Int32 { 0x7c70_0000 }
}
