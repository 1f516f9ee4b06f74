internal import CSocketKit
public import SocketKitCore

// The kernel reports once how the association of a one-to-one socket was lost, to whichever call comes first, a send
// among them. A read that comes later would block, and a poll wait, for ever (net/sctp/socket.c).

extension SCTPSocket {
  /// Ends reading and writing when the failure means that the association is no more.
  public borrowing func noteFailure(_ result: IOResult) { descriptor.noteFailure(result) }
}

extension RawDescriptor {
  /// Ends reading and writing of a one-to-one socket when a call failed because the association is no more: then reads
  /// report the end, as they do on TCP, and those that wait in other threads wake.
  @usableFromInline @inline(never)
  func noteFailure(_ result: IOResult) {
    switch result.errno {
    case CSK_ECONNRESET, CSK_ECONNABORTED, CSK_ETIMEDOUT, CSK_ECONNREFUSED:
      if notedFailure == nil { setLowWater(Self.mark | result.errno) }
    case CSK_EPIPE:
      // Something else has taken the error: an option read by its number, or a call of another library.
      if hasItsAssociation { return }
    default: return
    }
    // ENOTCONN, which it may report, comes after it has done its work.
    _ = csk_shutdown(value, CSK_SHUT_RDWR)
  }

  /// The error of ``noteFailure(_:)``; nil when there was none. `close(gracefullyWithin:)` needs it: after a loss the kernel
  /// looks as it does after an end in order.
  ///
  /// It is kept in SO_RCVLOWAT, which SCTP does not read (net/sctp/socket.c).
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

  /// More than any program asks for.
  private static var mark: Int32 { 0x7c70_0000 }
}
