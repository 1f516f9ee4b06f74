import Glibc
import SocketKit
import TestSupport
import Testing

/// SIOCINQ and SIOCOUTQ of vsock: Linux 6.1 answers neither, 6.12 the latter.
@Suite(.exclusive, .guestOnly) struct VsockQueuedBytesTests {
  @Test func whatThePeerHasNotTakenIsCountedSince611() throws {
    let pair = try vsockPair(VsockStreamSocket.self)
    let input = failure(SocketError.self) { () throws(SocketError) in _ = try pair.second.option(.queuedInputBytes) }
    #expect(input?.code == .notSupported && input?.operation == .getOption)
    if GuestKernel.isLinux61 {
      let output = failure(SocketError.self) { () throws(SocketError) in _ = try pair.first.option(.queuedOutputBytes) }
      #expect(output?.code == .notSupported)
      return
    }
    try pair.first.writeAll([UInt8](repeating: 1, count: 1000).span, until: .after(patience))
    let deadline = Deadline.after(patience)
    // Loopback's own thread hands it over.
    while try pair.first.option(.queuedOutputBytes) != 0, !deadline.hasPassed { sleep(milliseconds: 5) }
    let unsent = try pair.first.option(.queuedOutputBytes)
    #expect(unsent == 0)
    // More than the peer has room for.
    let block = [UInt8](repeating: 2, count: 1 << 16)
    var written = 1000
    while let count = try pair.first.write(block.span) { written += count }
    let end = Deadline.after(patience)
    while try pair.first.option(.queuedOutputBytes) != 0, !end.hasPassed { sleep(milliseconds: 5) }
    let waiting = try pair.first.option(.queuedOutputBytes)
    #expect(waiting == 0 && written > 1000)
  }
}
