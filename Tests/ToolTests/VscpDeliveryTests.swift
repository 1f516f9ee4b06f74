import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// What was said to be delivered is there in the end.
@Suite(.exclusive) struct VscpDeliveryTests {
  @Test func aSecondFileOfANameDoesNotReplaceTheFirst() throws {
    let (one, two, into) = (TemporaryFolder(), TemporaryFolder(), TemporaryFolder())
    one.write("f", [1])
    two.write("f", [2])
    into.write("f", [0])
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", into.path], send: ["--verify", "\(one.path)/f", "\(two.path)/f"])
    #expect(receiver.status == 1 && sender.status == 1)
    #expect(into.read("f") == [1] && into.names() == ["f"])
    #expect(sender.text.contains("refused \"f\": a file of that name was already received"), "\(sender.text)")
  }

  @Test func nothingReceivedIsNoSuccess() throws {
    let into = TemporaryFolder()
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", "\(into.path)/out"], send: ["--verify", "/nonexistent"])
    #expect(receiver.status == 1 && sender.status == 1 && into.names() == [])
    #expect(receiver.text.contains("receive: the sender offered no file"))
  }

  /// A sender of the test's own: one byte under the name "f", with something done before its end.
  private func sendOne(
    into folder: TemporaryFolder, mode: UInt32 = 0o644, digestOf bytes: [UInt8] = [1], meanwhile: () -> Void
  ) throws -> (status: Int32, answer: Frame) {
    let receiver = VscpEnd(["--verify", "--listen", "unix:@", folder.path])
    let answer: Frame
    do {
      let peer = try RawPeer(to: #require(receiver.talk.listeningAddress()))
      try peer.send(VerifyRole.sender.hello)
      _ = try peer.receive(8)
      try peer.send(Frame.offer(Offer(size: 1, mode: mode, name: [0x66])).bytes)
      _ = try peer.receiveFrame()
      meanwhile()
      try peer.send(Frame.begin(offset: 0).bytes + FrameHeader(.data, length: 1).bytes + [1])
      try peer.send(Frame.end(size: 1, SHA256.digest(of: bytes)).bytes)
      answer = try peer.receiveFrame()
      try peer.send(Frame.bye.bytes)
    }
    return (receiver.join(), answer)
  }

  /// Somebody removes the unfinished file, and another one begins there: it does not get the name, nor is it removed
  /// when the checksum is wrong.
  @Test(arguments: [[UInt8(1)], [2]])
  func aReplacedPartIsNobodys(_ digestOf: [UInt8]) throws {
    let folder = TemporaryFolder()
    let (status, answer) = try sendOne(into: folder, digestOf: digestOf) {
      folder.remove(".f.vscp-part")
      folder.write(".f.vscp-part", Array("another's".utf8), mode: 0o600)
    }
    #expect(status == 1 && answer.kind == .failed)
    #expect(folder.names() == [".f.vscp-part"] && folder.read(".f.vscp-part") == Array("another's".utf8))
  }

  /// It fails after it got its permissions: a read-only part could not be resumed.
  @Test func aPartThatIsKeptCanBeWritten() throws {
    let folder = TemporaryFolder()
    let (status, answer) = try sendOne(into: folder, mode: 0o444) { folder.makeSymbolicLink("f", to: "x") }
    #expect(status == 1 && answer.kind == .failed && folder.names() == [".f.vscp-part", "f"])
    #expect(folder.mode(of: ".f.vscp-part") == 0o600)
  }

  /// Its size is not what is left of it.
  @Test func standardInputMayHaveBeenReadFrom() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("f", [1, 2, 3, 4])
    let input = CLibrary.open("\(from.path)/f", O_RDONLY | O_CLOEXEC)
    defer { close(input) }
    #expect(lseek(input, 2, SEEK_SET) == 2)
    let receiver = VscpEnd(["--verify", "--listen", "unix:@", into.path])
    let sender = VscpEnd(["--verify", "--to", try #require(receiver.talk.listeningAddress())], input: input)
    #expect(sender.join() == 0 && receiver.join() == 0 && into.read("stdin") == [3, 4], "\(sender.talk.text)")
  }
}
