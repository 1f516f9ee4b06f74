import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// Files that fail in the middle: both ends stay in step, and the files behind them arrive.
@Suite(.exclusive) struct VscpTurnTests {
  /// As a receiver: the one-byte file "b", taken and stored, and nothing behind it.
  private func takeB(_ peer: RawPeer) throws {
    try peer.accept("b")
    #expect(try peer.receiveFrame() == .begin(offset: 0))
    _ = try peer.receive(9)
    #expect(try peer.receiveFrame() == .end(size: 1, SHA256.digest(of: [1])))
    try peer.send(Frame.stored(SHA256.digest(of: [1])).bytes)
    #expect(try peer.receiveFrame() == .bye)
    try peer.finishSending()
  }

  /// The receiver's complaint is still on its way when the sender gives the file up by itself.
  @Test(arguments: [0, 1])
  func aComplaintThatCrossesAnAbort(_ offersBefore: Int) throws {
    let from = TemporaryFolder()
    from.write("a", [1, 2, 3])
    from.write("b", [1])
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let none = Array(repeating: "\(from.path)/none", count: offersBefore)
    let sender = VscpEnd(["--verify", "--to", address, "\(from.path)/a"] + none + ["\(from.path)/b"])
    let peer = try RawPeer(from: listener)
    // After the offer, before the first read.
    try peer.send(VerifyRole.receiver.hello)
    _ = try peer.receive(8)
    guard case .offer = try peer.receiveFrame() else {
      Issue.record("no offer")
      return
    }
    from.truncate("a")
    try peer.send(Frame.accept(offset: 0, SHA256.digest(of: [])).bytes)
    #expect(try peer.receiveFrame() == .begin(offset: 0))
    #expect(try peer.receiveFrame().kind == .abort)
    try peer.send(Frame.failed(Reason(.storage, "disk full")).bytes)
    try takeB(peer)
    #expect(sender.join() == 1)
    #expect(sender.talk.text.contains("aborted \"a\": the file became shorter during the transfer"))
    #expect(sender.talk.text.contains("the receiver failed to store \"a\": disk full"))
    #expect(sender.talk.text.contains("delivered \"b\": 1 bytes"), "\(sender.talk.text)")
  }

  /// One such complaint is what an abort may cross; more are none of the protocol's.
  @Test func aSecondComplaintIsOutOfTurn() throws {
    let from = TemporaryFolder()
    from.write("a", [1])
    from.write("b", [1])
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = VscpEnd(["--verify", "--to", address, "\(from.path)/a", "\(from.path)/b"])
    let peer = try RawPeer(from: listener)
    try peer.send(VerifyRole.receiver.hello)
    _ = try peer.receive(8)
    _ = try peer.receiveFrame()
    from.truncate("a")
    try peer.send(Frame.accept(offset: 0, SHA256.digest(of: [])).bytes)
    let failed = Frame.failed(Reason(.storage, "disk full")).bytes
    try peer.send(failed + failed)
    try peer.finishSending()
    _ = try? peer.receiveAll()
    #expect(sender.join() == 1)
    #expect(sender.talk.text.contains("sent a frame \"failed\" after an offer"), "\(sender.talk.text)")
  }

  /// A file of the kernel's with a size, which open(2) takes and read(2) refuses with EINVAL.
  private static let unreadable = "/sys/class/net/lo/speed"

  @Test func aSourceThatCannotBeComparedIsAborted() throws {
    let from = TemporaryFolder()
    from.write("b", [1])
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = VscpEnd(["--verify", "--to", address, Self.unreadable, "\(from.path)/b"])
    let peer = try RawPeer(from: listener)
    try peer.send(VerifyRole.receiver.hello)
    _ = try peer.receive(8)
    try peer.accept("speed", at: 5)
    // From there, so that the receiver keeps what it has.
    #expect(try peer.receiveFrame() == .begin(offset: 5))
    #expect(try peer.receiveFrame().kind == .abort)
    try takeB(peer)
    #expect(sender.join() == 1 && sender.talk.text.contains("delivered \"b\": 1 bytes"))
    #expect(sender.talk.text.contains("aborted \"speed\": read \(Self.unreadable): invalid argument"))
  }

  @Test func aSourceThatCannotBeComparedCostsNothing() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("b", [1])
    into.write(".speed.vscp-part", [1, 2, 3], mode: 0o600)
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", into.path], send: ["--verify", Self.unreadable, "\(from.path)/b"])
    #expect(receiver.status == 1 && sender.status == 1)
    #expect(into.names() == [".speed.vscp-part", "b"] && into.read(".speed.vscp-part") == [1, 2, 3])
  }
}
