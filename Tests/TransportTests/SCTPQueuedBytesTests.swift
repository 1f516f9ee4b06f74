import Glibc
import SocketKit
import TestSupport
import Testing

/// SIOCINQ of SCTP is the length of the next message; it has no SIOCOUTQ (net/sctp/socket.c, sctp_ioctl).
@Suite(.exclusive, .needsSCTP) struct SCTPQueuedBytesTests {
  @Test func theNextMessageIsReported() throws {
    let pair = try sctpPair()
    let nothing = try pair.second.option(.queuedInputBytes)
    try pair.first.say("abc")
    try pair.first.say("de")
    let deadline = Deadline.after(sctpSoon)
    while try pair.second.option(.queuedInputBytes) == 0, !deadline.hasPassed { sleep(milliseconds: 5) }
    let next = try pair.second.option(.queuedInputBytes)
    let text = try pair.second.hear(3)
    while try pair.second.option(.queuedInputBytes) == 0, !deadline.hasPassed { sleep(milliseconds: 5) }
    let last = try pair.second.option(.queuedInputBytes)
    #expect(nothing == 0 && next == 3 && text == "abc" && last == 2)
    let output = failure(SocketError.self) { () throws(SocketError) in _ = try pair.first.option(.queuedOutputBytes) }
    #expect(output == SocketError(code: .notSupported, .getOption, errno: ENOTTY))
  }
}
