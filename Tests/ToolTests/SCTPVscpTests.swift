import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// vscp over SCTP, which has no half-close and cuts what is written into messages.
@Suite(.exclusive, .needsSCTP) struct SCTPVscpTests {
  @Test(arguments: ["sctp://127.0.0.1:0", "sctp://127.0.0.1,127.0.0.2:0", "sctp://localhost:0"])
  func verifiedByAddress(_ address: String) throws { try verified(address) }

  @Test func anIdleVerifyingSenderEndsWithItsReceiver() throws { try idleVerified("sctp://127.0.0.1:0") }

  @Test func aBrokenOffFileIsNoWholeOne() throws { try brokenOffPlain("sctp://127.0.0.1:0") }

  @Test func plain() throws {
    let folder = TemporaryFolder()
    let bytes = randomBytes(300_001)
    folder.write("in", bytes)
    let (receiver, sender) = try exchange(
      "sctp://127.0.0.1:0", receive: ["\(folder.path)/out"], send: ["\(folder.path)/in"])
    #expect(receiver.status == 0 && sender.status == 0 && folder.read("out") == bytes, "\(receiver)\(sender)")
  }
}
