import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// vscp over vsock, in mdlayher's own form and by address.
@Suite(.exclusive, .guestOnly) struct VsockVscpTests {
  @Test func hisCommandLineAndTexts() throws {
    let folder = TemporaryFolder()
    let bytes = randomBytes(200_001)
    folder.write("in", bytes)
    let receiver = VscpEnd(["-r", "-v", "-h", "\(folder.path)/out"])
    let shown = try #require(receiver.talk.listeningAddress())
    let port = try #require(shown.split(separator: ":").last)
    #expect(shown.hasPrefix("local(1):"))
    let talk = Talk()
    let status = VscpCommand.run(
      ["-s", "-v", "-h", "-c", "1", "-p", "\(port)", "\(folder.path)/in"], console: talk.console())
    #expect(status == 0 && receiver.join() == 0, "\(talk.text)\(receiver.talk.text)")
    #expect(folder.read("out") == bytes)
    let client = try #require(receiver.talk.text.firstMatch(of: /client: (.*)/)?.1)
    #expect(client.hasPrefix("local(1):"))
    let sum = try SHA256.digest(of: bytes).description
    #expect(
      receiver.talk.text == """
        TIME receive: creating file "\(folder.path)/out" for output
        TIME receive: opening listener: 0
        TIME receive: listening: local(1):\(port)
        TIME receive: server: local(1):\(port)
        TIME receive: client: \(client)
        TIME receive: receiving data
        TIME receive: transfer complete
        TIME sha256 checksum: \(sum)

        """)
    #expect(
      talk.text == """
        TIME send: opening file "\(folder.path)/in" for input
        TIME send: dialing: 1.\(port)
        TIME send: client: \(client)
        TIME send: server: local(1):\(port)
        TIME send: sending data
        TIME send: transfer complete
        TIME sha256 checksum: \(sum)

        """)
  }

  @Test func verifiedByAddress() throws { try verified("vsock://local:*") }

  @Test func anIdleVerifyingSenderEndsWithItsReceiver() throws { try idleVerified("vsock://local:*") }

  @Test func nobodyThere() {
    let talk = Talk()
    #expect(VscpCommand.run(["-s", "-c", "1", "-p", "4242", "/dev/null"], console: talk.console()) == 1)
    #expect(talk.text.hasPrefix("TIME vscp: send: failed to dial: connect local(1):4242: connection reset"))
  }

  @Test func socatAtTheOtherEnd() throws {
    let folder = TemporaryFolder()
    let bytes = randomBytes(100_001)
    folder.write("in", bytes)
    let receiver = VscpEnd(["-r", "\(folder.path)/from"])
    let port = try #require(receiver.talk.listeningAddress()?.split(separator: ":").last)
    let client = try #require(PeerProcess(["socat", "-u", "OPEN:\(folder.path)/in", "VSOCK-CONNECT:1:\(port)"]))
    #expect(client.finish().status == 0 && receiver.join() == 0 && folder.read("from") == bytes)
    let server = try #require(PeerProcess(["socat", "-u", "VSOCK-LISTEN:5123", "CREATE:\(folder.path)/to"]))
    var status: Int32 = 1
    for _ in 0..<200 where status != 0 {
      status = VscpCommand.run(["-s", "-c", "1", "-p", "5123", "\(folder.path)/in"], console: Talk().console())
      if status != 0 { sleep(milliseconds: 20) }
    }
    #expect(status == 0 && server.finish().status == 0 && folder.read("to") == bytes)
  }
}
