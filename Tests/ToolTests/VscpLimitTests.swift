import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// -t and --idle-timeout where the local end is what does not move: pipes that nobody fills or empties.
@Suite(.exclusive) struct VscpLimitTests {
  @Test(arguments: ["-t", "--idle-timeout"])
  func anIdleInputIsGivenUp(_ limit: String) throws {
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = PipedVscpEnd(["-s", "--to", address, limit, "200ms"], reads: true)
    let peer = try RawPeer(from: listener)
    #expect(CLibrary.write(sender.number, Array("abc".utf8)) == 3)
    #expect(sender.finish(saying: "failed to send data: read /dev/stdin: timed out") == 1)
    #expect(try peer.receiveAll() == Array("abc".utf8))
  }

  @Test func aBrokenOffFileIsNoWholeOne() throws { try brokenOffPlain("tcp://127.0.0.1:0") }

  @Test func anIdleSenderNoticesThatItsPeerHasGone() throws {
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = PipedVscpEnd(["-s", "--to", address], reads: true)
    do { _ = try RawPeer(from: listener) }
    #expect(sender.finish(saying: "failed to send data: write: broken pipe") == 1)
  }

  /// A half-closed connection is still good for sending.
  @Test func aPeerThatOnlyReadsIsNotGone() throws {
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = PipedVscpEnd(["-s", "-v", "--to", address], reads: true)
    let peer = try RawPeer(from: listener)
    try peer.finishSending()
    sleep(milliseconds: 100)
    #expect(CLibrary.write(sender.number, Array("late".utf8)) == 4)
    sender.closeOurs()
    #expect(sender.finish(saying: "transfer complete") == 0)
    #expect(try peer.receiveAll() == Array("late".utf8))
  }

  @Test(arguments: ["-t", "--idle-timeout"])
  func anOutputThatNobodyReadsIsGivenUp(_ limit: String) throws {
    let receiver = PipedVscpEnd(["--listen", "unix:@", limit, "300ms"], reads: false)
    let peer = try RawPeer(to: #require(receiver.end.talk.listeningAddress()))
    try peer.send([UInt8](repeating: 7, count: 200_000))
    #expect(receiver.finish(saying: "failed to receive data: write /dev/stdout: timed out") == 1)
  }

  @Test func aSlowReaderOutlivesTheIdleTimeout() throws {
    let receiver = PipedVscpEnd(["-v", "--listen", "unix:@", "--idle-timeout", "400ms"], reads: false)
    let bytes = randomBytes(200_000)
    do {
      let peer = try RawPeer(to: #require(receiver.end.talk.listeningAddress()))
      try peer.send(bytes)
    }
    var got: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 20_000)
    while got.count < bytes.count {
      let count = CLibrary.read(receiver.number, into: &chunk)
      if count <= 0 { break }
      got += chunk.prefix(count)
      sleep(milliseconds: 100)
    }
    #expect(got == bytes && receiver.finish(saying: "transfer complete") == 0)
  }

  @Test func anIdleVerifyingSenderNoticesThatItsPeerHasGone() throws {
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = PipedVscpEnd(["--verify", "--to", address], reads: true)
    do {
      let peer = try RawPeer(from: listener)
      try peer.takeOffer("stdin")
    }
    #expect(sender.finish(saying: "the other end closed the connection before the transfer was complete") == 1)
  }

  @Test(arguments: ["unix:@", "tcp://127.0.0.1:0"])
  func anIdleVerifyingSenderEndsWithItsReceiver(_ address: String) throws { try idleVerified(address) }

  /// The receiver's complaint is heard though there is nothing to send.
  @Test func anIdleVerifyingSenderHearsAComplaint() throws {
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = PipedVscpEnd(["--verify", "--to", address], reads: true)
    let peer = try RawPeer(from: listener)
    try peer.takeOffer("stdin")
    try peer.send(Frame.wait.bytes + Frame.wait.bytes + Frame.failed(Reason(.storage, "disk full")).bytes)
    for _ in 0..<1000 where !sender.end.talk.text.contains("disk full") { sleep(milliseconds: 5) }
    #expect(sender.end.talk.text.contains("the receiver failed to store \"stdin\": disk full"))
    sender.closeOurs()
    #expect(try peer.receiveFrame().kind == .abort)
    #expect(try peer.receiveFrame() == .bye)
    try peer.finishSending()
    #expect(sender.finish(saying: "disk full") == 1)
  }

  /// A pipe that gives nothing is one file that fails, and a pipe that nobody has opened for writing too.
  @Test func anIdleSourceFailsAlone() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("good", [1, 2])
    #expect(from.makeFIFO("fifo"))
    let receiver = VscpEnd(["--verify", "--listen", "unix:@", into.path])
    let address = try #require(receiver.talk.listeningAddress())
    let sender = PipedVscpEnd(
      ["--verify", "--to", address, "--idle-timeout", "300ms", "-", "\(from.path)/fifo", "\(from.path)/good"],
      reads: true)
    for _ in 0..<1000 where into.read("good") == nil { sleep(milliseconds: 5) }
    #expect(into.read("good") == [1, 2])
    // Frees an end that hangs.
    sender.closeOurs()
    let writer = CLibrary.open("\(from.path)/fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC)
    sleep(milliseconds: 200)
    close(writer)
    #expect(sender.finish(saying: "aborted \"stdin\": read /dev/stdin: timed out") == 1 && receiver.join() == 1)
    #expect(sender.end.talk.text.contains("aborted \"fifo\": read \(from.path)/fifo: timed out"))
    #expect(into.names() == ["good"])
  }

  @Test func aFifoMayHaveALateWriter() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    #expect(from.makeFIFO("fifo"))
    let receiver = VscpEnd(["--verify", "--listen", "unix:@", into.path])
    let sender = VscpEnd([
      "--verify", "--to", try #require(receiver.talk.listeningAddress()), "\(from.path)/fifo",
    ])
    sleep(milliseconds: 200)
    let number = CLibrary.open("\(from.path)/fifo", O_WRONLY | O_CLOEXEC)
    sleep(milliseconds: 100)
    #expect(CLibrary.write(number, Array("late".utf8)) == 4)
    close(number)
    #expect(sender.join() == 0 && receiver.join() == 0 && into.read("fifo") == Array("late".utf8))
  }
}
