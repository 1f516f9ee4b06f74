import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// mdlayher's wire format and texts, over what this machine has.
@Suite(.exclusive) struct VscpPlainTests {
  @Test(arguments: ["unix:@", "tcp://127.0.0.1:0", "tcp://[::1]:0"])
  func aMebibyteArrivesWithBothTextsExact(_ address: String) throws {
    let folder = TemporaryFolder()
    let bytes = randomBytes(1 << 20)
    folder.write("in", bytes)
    let (receiver, sender) = try exchange(
      address, receive: ["-v", "-h", "\(folder.path)/out"], send: ["-v", "-h", "\(folder.path)/in"])
    #expect(receiver.status == 0 && sender.status == 0)
    #expect(folder.read("out") == bytes)
    let sum = try SHA256.digest(of: bytes).description
    let actual = try #require(receiver.text.firstMatch(of: /listening: (.*)/)?.1)
    let client = try #require(receiver.text.firstMatch(of: /client: (.*)/)?.1)
    #expect(
      receiver.text == """
        TIME receive: creating file "\(folder.path)/out" for output
        TIME receive: opening listener: \(address)
        TIME receive: listening: \(actual)
        TIME receive: server: \(actual)
        TIME receive: client: \(client)
        TIME receive: receiving data
        TIME receive: transfer complete
        TIME sha256 checksum: \(sum)

        """)
    #expect(
      sender.text == """
        TIME send: opening file "\(folder.path)/in" for input
        TIME send: dialing: \(actual)
        TIME send: client: \(client)
        TIME send: server: \(actual)
        TIME send: sending data
        TIME send: transfer complete
        TIME sha256 checksum: \(sum)

        """)
  }

  @Test func withoutVerboseOnlyTheListenerSpeaks() throws {
    let folder = TemporaryFolder()
    folder.write("in", [])
    let (receiver, sender) = try exchange("unix:@", receive: ["\(folder.path)/out"], send: ["\(folder.path)/in"])
    #expect(
      receiver.text.hasPrefix("TIME receive: listening: unix:@") && receiver.text.split(separator: "\n").count == 1)
    #expect(sender.text.isEmpty && sender.status == 0)
    #expect(folder.read("out") == [])
  }

  @Test func standardInputAndOutput() throws {
    let toSender = CLibrary.pipe()
    let fromReceiver = CLibrary.pipe()
    defer { for number in [toSender.readEnd, fromReceiver.readEnd] { close(number) } }
    let receiver = VscpEnd(["--listen", "unix:@", "-v"], output: fromReceiver.writeEnd)
    let address = try #require(receiver.talk.listeningAddress())
    let sender = VscpEnd(["-v", "--to", address, "-"], input: toSender.readEnd)
    #expect(CLibrary.write(toSender.writeEnd, Array("data only".utf8)) == 9)
    close(toSender.writeEnd)
    #expect(sender.join() == 0 && receiver.join() == 0)
    close(fromReceiver.writeEnd)
    var bytes = [UInt8](repeating: 0, count: 64)
    #expect(CLibrary.read(fromReceiver.readEnd, into: &bytes) == 9 && bytes.starts(with: "data only".utf8))
    #expect(receiver.talk.text.hasPrefix("TIME receive: empty target, file will be written to stdout\n"))
    #expect(sender.talk.text.hasPrefix("TIME send: empty or stdin target, file will be read from stdin\n"))
  }

  @Test func theListenerMayBeTheSender() throws {
    let folder = TemporaryFolder()
    let bytes = randomBytes(70_000)
    folder.write("in", bytes)
    let sender = VscpEnd(["-s", "--listen", "tcp://localhost:0", "\(folder.path)/in"])
    let address = try #require(sender.talk.listeningAddress())
    let talk = Talk()
    #expect(VscpCommand.run(["-r", "--to", address, "\(folder.path)/out"], console: talk.console()) == 0)
    #expect(sender.join() == 0 && folder.read("out") == bytes)
  }

  @Test func failuresEndWithStatusOneAndGoQuotes() throws {
    let talk = Talk()
    #expect(VscpCommand.run(["--listen", "unix:@", "/nonexistent/x"], console: talk.console()) == 1)
    #expect(
      talk.text
        == "TIME vscp: receive: failed to create output file: \"open /nonexistent/x: no such file or directory\"\n")
    let sending = Talk()
    #expect(VscpCommand.run(["--to", "unix:@x", "/nonexistent"], console: sending.console()) == 1)
    #expect(
      sending.text == "TIME vscp: send: failed to open input file: \"open /nonexistent: no such file or directory\"\n")
    let dialing = Talk()
    #expect(VscpCommand.run(["--to", "unix:@nobody-\(getpid())", "/dev/null"], console: dialing.console()) == 1)
    #expect(dialing.text.hasPrefix("TIME vscp: send: failed to dial: connect @nobody-\(getpid()): connection refused"))
    let listening = Talk()
    #expect(VscpCommand.run(["--listen", "unix:/nonexistent/s", "/dev/null"], console: listening.console()) == 1)
    #expect(listening.text.hasPrefix("TIME vscp: receive: failed to listen: bind /nonexistent/s: no such path"))
  }

  @Test(arguments: [["-t", "80ms"], ["--idle-timeout", "80ms"]])
  func aSilentPeerIsGivenUpAndTheHalfFileStays(_ limit: [String]) throws {
    let folder = TemporaryFolder()
    folder.write("out", Array("old contents, longer than the new ones".utf8))
    let receiver = VscpEnd(["--listen", "unix:@"] + limit + ["\(folder.path)/out"])
    let peer = try RawPeer(to: #require(receiver.talk.listeningAddress()))
    try peer.send(Array("half".utf8))
    #expect(receiver.join() == 1)
    #expect(receiver.talk.text.hasSuffix("TIME vscp: receive: failed to receive data: read: timed out\n"))
    #expect(folder.read("out") == Array("half".utf8))
  }

  /// -t is for the whole transfer, however busy it is; the idle timeout is not.
  @Test func aSlowPeerOutlivesTheIdleTimeoutOnly() throws {
    for (limit, expected) in [(["--idle-timeout", "400ms"], Int32(0)), (["-t", "400ms"], 1)] {
      let folder = TemporaryFolder()
      let receiver = VscpEnd(["--listen", "unix:@"] + limit + ["\(folder.path)/out"])
      do {
        let peer = try RawPeer(to: #require(receiver.talk.listeningAddress()))
        for _ in 0..<8 {
          // Its end is the other one's to tell.
          _ = try? peer.send([1])
          sleep(milliseconds: 80)
        }
      }
      #expect(receiver.join() == expected)
    }
  }

  @Test func theWireHasTheBytesAndNothingElse() throws {
    let folder = TemporaryFolder()
    let bytes = randomBytes(100_001)
    folder.write("in", bytes)
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = VscpEnd(["--to", address, "\(folder.path)/in"])
    let peer = try RawPeer(from: listener)
    #expect(try peer.receiveAll() == bytes)
    #expect(sender.join() == 0)
  }

  @Test func aTransportThatIsNoStreamIsRefused() {
    let talk = Talk()
    #expect(VscpCommand.run(["--to", "udp://localhost:1", "file"], console: talk.console()) == 1)
    #expect(
      talk.text.hasPrefix("TIME vscp: send: open socket udp://localhost:1: socket of another kind. Datagrams cannot"))
  }

  /// A run takes one client: the listener is gone when the transfer begins.
  @Test func theListenerClosesAfterItsOnlyClient() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/s"
    let receiver = VscpEnd(["--listen", "unix:\(path)", "\(folder.path)/out"])
    do {
      let peer = try RawPeer(to: #require(receiver.talk.listeningAddress()))
      for _ in 0..<2000 where folder.has("s") { sleep(milliseconds: 5) }
      #expect(!folder.has("s"))
      try peer.send([7])
    }
    #expect(receiver.join() == 0 && folder.read("out") == [7])
  }
}
