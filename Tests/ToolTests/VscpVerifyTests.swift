import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// --verify: what arrives is right and whole, or does not arrive.
@Suite(.exclusive) struct VscpVerifyTests {
  @Test(arguments: ["unix:@", "tcp://127.0.0.1:0"])
  func severalFilesArriveWithNameAndMode(_ address: String) throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    let big = randomBytes(1 << 20)
    from.write("big", big, mode: 0o640)
    from.write("empty", [])
    from.write("run me", Array("#!/bin/sh\n".utf8), mode: 0o4755)
    into.write("empty", Array("was here before".utf8))
    let (receiver, sender) = try exchange(
      address, receive: ["--verify", into.path],
      send: ["--verify", "\(from.path)/big", "\(from.path)/empty", "\(from.path)/run me"])
    #expect(receiver.status == 0 && sender.status == 0, "\(receiver.text)\(sender.text)")
    #expect(into.read("big") == big && into.read("empty") == [] && into.read("run me")?.count == 10)
    #expect(into.names() == ["big", "empty", "run me"])
    let sum = try SHA256.digest(of: big)
    #expect(receiver.text.contains("TIME receive: stored \"big\": 1048576 bytes, sha256 checksum: \(sum)\n"))
    #expect(sender.text.contains("TIME send: delivered \"big\": 1048576 bytes, sha256 checksum: \(sum)\n"))
    #expect(into.mode(of: "big") == 0o640 && into.mode(of: "run me") == 0o755)
  }

  @Test func theReceiverMayNameTheOneFileAndConnect() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("a", [1, 2, 3])
    from.write("b", [4])
    let sender = VscpEnd(["-s", "--verify", "--listen", "unix:@", "\(from.path)/a", "\(from.path)/b"])
    let address = try #require(sender.talk.listeningAddress())
    let talk = Talk()
    #expect(VscpCommand.run(["-r", "--verify", "--to", address, "\(into.path)/.mine"], console: talk.console()) == 1)
    #expect(sender.join() == 1)
    #expect(into.read(".mine") == [1, 2, 3] && into.names() == [".mine"])
    #expect(sender.talk.text.contains("send: refused \"b\": the receiver accepts only one file"))
  }

  @Test func standardInputHasNoSize() throws {
    let into = TemporaryFolder()
    let pipe = CLibrary.pipe()
    let receiver = VscpEnd(["--verify", "--listen", "unix:@", into.path])
    let sender = VscpEnd(["--verify", "--to", try #require(receiver.talk.listeningAddress())], input: pipe.readEnd)
    let bytes = randomBytes(50_000)
    #expect(CLibrary.write(pipe.writeEnd, bytes) == bytes.count)
    close(pipe.writeEnd)
    #expect(sender.join() == 0 && receiver.join() == 0)
    close(pipe.readEnd)
    #expect(into.read("stdin") == bytes)
  }

  @Test func whatBrokeOffIsResumed() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    let bytes = randomBytes(700_000)
    from.write("f", bytes)
    into.write(".f.vscp-part", Array(bytes.prefix(300_001)), mode: 0o600)
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", into.path], send: ["--verify", "\(from.path)/f"])
    #expect(receiver.status == 0 && sender.status == 0)
    #expect(receiver.text.contains("receive: resuming \"f\" at 300001 bytes"))
    #expect(sender.text.contains("send: resuming \"f\" at 300001 bytes"))
    #expect(into.read("f") == bytes && into.names() == ["f"])
  }

  @Test func aWholePartNeedsNoMoreBytes() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("f", Array("all of it".utf8))
    into.write(".f.vscp-part", Array("all of it".utf8), mode: 0o600)
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", into.path], send: ["--verify", "\(from.path)/f"])
    #expect(receiver.status == 0 && sender.status == 0 && sender.text.contains("at 9 bytes"))
    #expect(into.read("f") == Array("all of it".utf8))
  }

  @Test(arguments: ["another file's", "longer than the file that is sent"])
  func aForeignPartIsNotResumed(_ part: String) throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("f", Array("the right contents".utf8))
    into.write(".f.vscp-part", Array(part.utf8), mode: 0o600)
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", into.path], send: ["--verify", "\(from.path)/f"])
    #expect(receiver.status == 0 && sender.status == 0 && !receiver.text.contains("resuming"))
    #expect(into.read("f") == Array("the right contents".utf8) && into.names() == ["f"])
  }

  /// A sender of the test's own, whose frames are right unless the test says otherwise.
  private func offering(
    _ offer: Offer, into folder: TemporaryFolder, _ words: [String] = [],
    then: (RawPeer, Frame) throws -> Void
  ) throws -> (Int32, String) {
    let receiver = VscpEnd(["--verify", "--listen", "unix:@"] + words + [folder.path])
    do {
      let peer = try RawPeer(to: #require(receiver.talk.listeningAddress()))
      try peer.send(VerifyRole.sender.hello)
      #expect(try peer.receive(8) == VerifyRole.receiver.hello)
      try peer.send(Frame.offer(offer).bytes)
      try then(peer, peer.receiveFrame())
    }
    return (receiver.join(), receiver.talk.text)
  }

  private func data(_ bytes: [UInt8]) -> [UInt8] { FrameHeader(.data, length: bytes.count).bytes + bytes }

  @Test(arguments: [
    "/etc/passwd", "../up", "..", ".", "a/b", "/", "a\0b", "a\nb", "a\u{7f}", ".hidden", ".f.vscp-part", "f.vscp-part",
  ])
  func namesThatLeadElsewhereAreRefused(_ name: String) throws {
    let folder = TemporaryFolder()
    let offer = Offer(size: 1, mode: 0o644, name: Array(name.utf8))
    let (status, talk) = try offering(offer, into: folder) { peer, answer in
      guard case .refuse(let reason) = answer else {
        Issue.record("\(answer)")
        return
      }
      #expect(reason.code == Reason.Code.name.rawValue)
      try peer.send(Frame.bye.bytes)
    }
    #expect(status == 1 && talk.contains("receive: refused ") && !talk.dropLast().contains("a\nb"))
    #expect(folder.names() == [])
  }

  @Test func hiddenNamesAreTakenOnRequest() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write(".profile", [9])
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", "--hidden", into.path], send: ["--verify", "\(from.path)/.profile"])
    #expect(receiver.status == 0 && sender.status == 0 && into.names() == [".profile"])
  }

  @Test func whatHasTheNameAlreadyIsRefusedUnlessItIsAFile() throws {
    let (folder, target) = (TemporaryFolder(), TemporaryFolder())
    target.write("precious", [42])
    #expect(folder.makeSymbolicLink("link", to: "\(target.path)/precious"))
    #expect(folder.makeSymbolicLink("dangling", to: "\(target.path)/new"))
    #expect(folder.makeFolder("folder", mode: 0o755) && folder.makeFIFO("fifo"))
    #expect(folder.makeSymbolicLink(".part.vscp-part", to: "\(target.path)/precious"))
    #expect(folder.makeLink(".twice.vscp-part", to: "\(target.path)/precious"))
    #expect(folder.makeFIFO(".fifo2.vscp-part"))
    #expect(folder.makeFolder(".dir.vscp-part", mode: 0o755))
    let before = folder.names()
    for name in ["link", "dangling", "folder", "fifo", "part", "twice", "fifo2", "dir"] {
      let offer = Offer(size: 1, mode: 0o644, name: Array(name.utf8))
      let (status, _) = try offering(offer, into: folder) { peer, answer in
        guard case .refuse(let reason) = answer else {
          Issue.record("\(name): \(answer)")
          return
        }
        #expect(reason.code == Reason.Code.nameTaken.rawValue, "\(name): \(reason)")
        try peer.send(Frame.bye.bytes)
      }
      #expect(status == 1)
    }
    #expect(folder.names() == before && target.read("precious") == [42] && target.names() == ["precious"])
  }

  @Test func aWrongChecksumLeavesNothing() throws {
    let folder = TemporaryFolder()
    folder.write("f", Array("as before".utf8))
    let (status, talk) = try offering(Offer(size: 3, mode: 0o644, name: [0x66]), into: folder) { peer, answer in
      #expect(try answer == .accept(offset: 0, SHA256.digest(of: [])))
      try peer.send(Frame.begin(offset: 0).bytes + data([1, 2, 3]))
      try peer.send(Frame.end(size: 3, SHA256.digest(of: [1, 2, 4])).bytes)
      guard case .failed(let reason) = try peer.receiveFrame() else {
        Issue.record("no failure")
        return
      }
      #expect(reason.code == Reason.Code.checksum.rawValue)
      try peer.send(Frame.bye.bytes)
    }
    #expect(status == 1 && talk.contains("failed to store \"f\": the checksum of the received bytes is"))
    #expect(folder.names() == ["f"] && folder.read("f") == Array("as before".utf8))
  }

  @Test func tooManyAndTooFewBytesAreFailures() throws {
    for (size, bytes, end) in [(UInt64(2), [UInt8](1...3), UInt64(3)), (5, [1, 2], 2), (2, [1, 2], 3)] {
      let folder = TemporaryFolder()
      let (status, _) = try offering(Offer(size: size, mode: 0o644, name: [0x66]), into: folder) { peer, _ in
        try peer.send(Frame.begin(offset: 0).bytes + data(bytes))
        try peer.send(Frame.end(size: end, SHA256.digest(of: bytes)).bytes)
        guard case .failed(let reason) = try peer.receiveFrame() else {
          Issue.record("no failure")
          return
        }
        #expect(reason.code == Reason.Code.size.rawValue)
        try peer.send(Frame.bye.bytes)
      }
      #expect(status == 1 && folder.names() == [])
    }
  }

  @Test func aShortStreamLeavesThePartOnly() throws {
    let folder = TemporaryFolder()
    let (status, talk) = try offering(Offer(size: 9, mode: 0o644, name: [0x66]), into: folder) { peer, _ in
      try peer.send(Frame.begin(offset: 0).bytes + data([1, 2, 3]))
    }
    #expect(status == 1 && talk.contains("closed the connection before the transfer was complete"))
    #expect(folder.names() == [".f.vscp-part"] && folder.read(".f.vscp-part") == [1, 2, 3])
    let (again, _) = try offering(Offer(size: 9, mode: 0o644, name: [0x66]), into: folder) { peer, answer in
      #expect(try answer == .accept(offset: 3, SHA256.digest(of: [1, 2, 3])))
      try peer.send(Frame.begin(offset: 3).bytes + Frame.abort(Reason(.source, "changed\u{1b}[31m my mind")).bytes)
      try peer.send(Frame.bye.bytes)
    }
    #expect(again == 1 && folder.names() == [".f.vscp-part"])
  }

  @Test func aFileOnItsWayIsBusy() throws {
    let folder = TemporaryFolder()
    _ = try offering(Offer(size: 9, mode: 0o644, name: [0x66]), into: folder) { _, _ in
      let (status, talk) = try offering(Offer(size: 9, mode: 0o644, name: [0x66]), into: folder) { peer, answer in
        guard case .refuse(let reason) = answer else {
          Issue.record("\(answer)")
          return
        }
        #expect(reason.code == Reason.Code.busy.rawValue)
        try peer.send(Frame.bye.bytes)
      }
      #expect(status == 1 && talk.contains("another transfer is receiving f"))
    }
  }

  /// The receiver complains in the middle: the sender stops, says so, and the next file still arrives.
  @Test func aComplaintInTheMiddleStopsOneFileOnly() throws {
    let from = TemporaryFolder()
    from.write("a", randomBytes(20 << 20))
    from.write("b", [1])
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let address = UnixStreamSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = VscpEnd(["--verify", "--to", address, "\(from.path)/a", "\(from.path)/b"])
    do {
      let peer = try RawPeer(from: listener)
      try peer.send(VerifyRole.receiver.hello)
      _ = try peer.receive(8)
      _ = try peer.receiveFrame()
      try peer.send(Frame.accept(offset: 0, SHA256.digest(of: [])).bytes)
      #expect(try peer.receiveFrame() == .begin(offset: 0))
      try peer.send(Frame.wait.bytes + Frame.failed(Reason(.storage, "disk full")).bytes)
      var total = 0
      var header = try FrameHeader(parsing: peer.receive(8)[...])
      while header.kind == .data {
        total += try peer.receive(header.length).count
        header = try FrameHeader(parsing: peer.receive(8)[...])
      }
      #expect(header.kind == .abort && total < 20 << 20)
      _ = try peer.receive(header.length)
      guard case .offer(let offer) = try peer.receiveFrame() else {
        Issue.record("no second offer")
        return
      }
      #expect(offer == Offer(size: 1, mode: 0o644, name: [0x62]))
      try peer.send(Frame.accept(offset: 0, SHA256.digest(of: [])).bytes)
      #expect(try peer.receiveFrame() == .begin(offset: 0))
      _ = try peer.receive(9)
      #expect(try peer.receiveFrame() == .end(size: 1, SHA256.digest(of: [1])))
      try peer.send(Frame.stored(SHA256.digest(of: [1])).bytes)
      #expect(try peer.receiveFrame() == .bye)
    }
    #expect(sender.join() == 1)
    #expect(sender.talk.text.contains("the receiver failed to store \"a\": disk full"))
    #expect(sender.talk.text.contains("delivered \"b\": 1 bytes"))
  }

  /// "Stored", with another checksum, is no proof.
  @Test func aReceiverThatLiesIsNotBelieved() throws {
    let from = TemporaryFolder()
    from.write("a", [1, 2, 3])
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let sender = VscpEnd([
      "--verify", "--to", UnixStreamSocket.endpointFormat.text(of: try listener.localAddress()), "\(from.path)/a",
    ])
    do {
      let peer = try RawPeer(from: listener)
      try peer.send(VerifyRole.receiver.hello + Frame.accept(offset: 0, SHA256.digest(of: [])).bytes)
      try peer.send(Frame.stored(SHA256.digest(of: [1, 2])).bytes)
      _ = try? peer.receiveAll()
    }
    #expect(sender.join() == 1 && !sender.talk.text.contains("delivered"))
  }

  @Test func aPlainPeerIsNoVerifyingOne() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("f", randomBytes(100))
    let (receiver, _) = try exchange("unix:@", receive: ["--verify", into.path], send: ["\(from.path)/f"])
    // A Unix socket that is closed unread resets the connection, which may be noticed first.
    let isExplained = receiver.text.contains("both ends need this option") || receiver.text.contains("connection reset")
    #expect(receiver.status == 1 && isExplained && into.names() == [], "\(receiver.text)")
    let (plain, sender) = try exchange(
      "unix:@", receive: ["-t", "300ms", "\(into.path)/x"], send: ["--verify", "\(from.path)/f"])
    #expect(plain.status == 1 && sender.status == 1)
  }

  @Test func missingAndStrangeSourcesFailAlone() throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    from.write("good", [1])
    let (receiver, sender) = try exchange(
      "unix:@", receive: ["--verify", into.path],
      send: ["--verify", "\(from.path)/none", from.path, "\(from.path)/good"])
    #expect(receiver.status == 0 && sender.status == 1)
    #expect(
      sender.text.contains("send: failed to open input file: \"open \(from.path)/none: no such file or directory\""))
    #expect(sender.text.contains("\"read \(from.path): is a directory\"") && into.read("good") == [1])
  }

  @Test func aMissingDirectoryIsSaidBeforeAnybodyConnects() {
    let talk = Talk()
    #expect(VscpCommand.run(["--verify", "--listen", "unix:@", "/nonexistent/x/"], console: talk.console()) == 1)
    #expect(talk.text.contains("failed to open the directory: open /nonexistent/x/: no such file or directory"))
  }

  @Test func longNamesHaveShortPartNames() {
    let long = [UInt8](repeating: 0x61, count: 250)
    #expect(ReceivingPlace.partName(of: long).count <= 255)
    #expect(ReceivingPlace.partName(of: long) != ReceivingPlace.partName(of: long + [0x62]))
    #expect(ReceivingPlace.partName(of: [0x66]) == Array(".f.vscp-part".utf8))
  }
}
