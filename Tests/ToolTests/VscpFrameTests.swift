import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// The frames of --verify, and peers that get them wrong: typed errors, no crash, and no file.
@Suite(.exclusive) struct VscpFrameTests {
  private static let digest = SHA256Digest([UInt8](repeating: 0xab, count: 32))

  private func frames() throws -> [Frame] {
    let digest = try #require(Self.digest)
    return [
      .offer(Offer(size: 0, mode: 0o644, name: [0x61])),
      .offer(Offer(size: nil, mode: 0, name: [UInt8](repeating: 255, count: 255))),
      .offer(Offer(size: UInt64(Int64.max), mode: 0o777, name: Array("näme".utf8))), .accept(offset: 1 << 40, digest),
      .refuse(Reason(.name, "no")), .begin(offset: 7), .end(size: 7, digest), .abort(Reason(.source, "")),
      .stored(digest),
      .failed(Reason(.checksum, String(repeating: "ü", count: 2000))), .bye, .wait,
    ]
  }

  @Test func framesSurviveTheirBytes() throws {
    for frame in try frames() {
      let bytes = frame.bytes
      let header = try FrameHeader(parsing: bytes[..<8])
      #expect(header.kind == frame.kind && header.length == bytes.count - 8)
      #expect(try Frame(header.kind, parsing: bytes[8...]) == frame)
    }
    #expect(Reason(.name, String(repeating: "ü", count: 2000)).text.utf8.count == 1024)
    #expect(Frame.begin(offset: 0x0102).bytes == [4, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2])
    #expect(Frame.bye.bytes == [10, 0, 0, 0, 0, 0, 0, 0])
    #expect(VerifyRole.sender.hello == Array("SKVSCP".utf8) + [1, 1])
  }

  @Test(
    arguments: [
      ([0, 0, 0, 0, 0, 0, 0, 0], VerifyError.unknownFrame(0)), ([12, 0, 0, 0, 0, 0, 0, 0], .unknownFrame(12)),
      ([255, 0, 0, 0, 0, 0, 0, 0], .unknownFrame(255)), ([10, 1, 0, 0, 0, 0, 0, 0], .reservedBytes(10)),
      ([10, 0, 0, 0, 0, 0, 0, 1], .wrongLength(.bye, 1)), ([5, 0, 0, 0, 0, 0, 0, 0], .wrongLength(.data, 0)),
      ([5, 0, 0, 0, 0, 16, 0, 1], .wrongLength(.data, 1_048_577)),
      ([5, 0, 0, 0, 255, 255, 255, 255], .wrongLength(.data, .max)),
      ([1, 0, 0, 0, 0, 0, 0, 12], .wrongLength(.offer, 12)), ([1, 0, 0, 0, 0, 0, 1, 12], .wrongLength(.offer, 268)),
      ([3, 0, 0, 0, 0, 0, 4, 3], .wrongLength(.refuse, 1027)), ([8, 0, 0, 0, 0, 0, 0, 31], .wrongLength(.stored, 31)),
    ] as [([UInt8], VerifyError)])
  func wrongHeadersAreTypedErrors(_ bytes: [UInt8], _ error: VerifyError) {
    #expect(throws: error) { try FrameHeader(parsing: bytes[...]) }
    #expect("\(error)".hasPrefix("the other end"))
  }

  @Test func wrongContentIsATypedError() throws {
    let huge = [UInt8](repeating: 0x80, count: 8)
    let digest = [UInt8](repeating: 0, count: 32)
    #expect(throws: VerifyError.wrongContent(.offer)) { try Frame(.offer, parsing: (huge + [0, 0, 0, 0, 65])[...]) }
    #expect(throws: VerifyError.wrongContent(.offer)) {
      try Frame(.offer, parsing: ([UInt8](repeating: 0, count: 8) + [0, 0, 2, 0, 65])[...])
    }
    #expect(throws: VerifyError.wrongContent(.begin)) { try Frame(.begin, parsing: huge[...]) }
    #expect(throws: VerifyError.wrongContent(.end)) { try Frame(.end, parsing: (huge + digest)[...]) }
    #expect(throws: VerifyError.wrongContent(.accept)) { try Frame(.accept, parsing: (huge + digest)[...]) }
  }

  @Test func anyBytesAreReadOrRefused() throws {
    var generator = SystemRandomNumberGenerator()
    var read = 0
    for _ in 0..<20_000 {
      var bytes = randomBytes(8)
      // Mostly near what is right, or nothing would get past the header.
      bytes[0] = UInt8.random(in: 0...13, using: &generator)
      bytes[1] = 0
      bytes[2] = 0
      bytes[3] = Bool.random() ? 0 : bytes[3] & 1
      bytes[4] = 0
      bytes[5] = bytes[5] & 1
      if let kind = FrameKind(rawValue: bytes[0]), Bool.random() {
        bytes[5] = 0
        bytes[6] = UInt8(kind.lengths.lowerBound >> 8)
        bytes[7] = UInt8(kind.lengths.lowerBound & 255)
      }
      do throws(VerifyError) {
        let header = try FrameHeader(parsing: bytes[...])
        #expect(header.bytes == bytes)
        guard header.kind != .data else { continue }
        let frame = try Frame(header.kind, parsing: randomBytes(header.length)[...])
        let again = frame.bytes
        #expect(try Frame(frame.kind, parsing: again[8...]) == frame)
        read += 1
      } catch {
        #expect(!"\(error)".isEmpty)
      }
    }
    #expect(read > 1000)
  }

  /// Runs one end against bytes of a peer that then stays silent or goes; gives status and talk.
  private func against(_ words: [String], _ bytes: [UInt8], in folder: TemporaryFolder) throws -> (
    Int32, String
  ) {
    let end = VscpEnd(["--listen", "unix:@", "--verify", "--idle-timeout", "5s"] + words)
    do {
      let peer = try RawPeer(to: #require(end.talk.listeningAddress()))
      // It may hang up in the middle.
      _ = try? peer.send(bytes)
      _ = try? peer.finishSending()
      _ = try? peer.receiveAll()
    }
    return (end.join(), end.talk.text)
  }

  @Test func greetingsThatAreNone() throws {
    let folder = TemporaryFolder()
    let hello = VerifyRole.sender.hello
    for (bytes, text) in [
      (Array("GET / HTTP/1.1\r\n\r\n".utf8), "does not use the protocol"),
      (Array("x".utf8), "does not use the protocol"),
      ([], "closed the connection"), (Array(hello.prefix(5)), "closed the connection"),
      (Array(hello.dropLast()) + [2], "both ends send, or both ends receive"),
      (Array(hello.dropLast()) + [3], "does not use"),
      (Array(hello.dropLast(2)) + [0, 1], "version 0"), (hello, "closed the connection"),
      // A later version speaks ours too.
      (Array(hello.dropLast(2)) + [9, 1], "closed the connection"),
    ] {
      let (status, talk) = try against(["-r", folder.path], bytes, in: folder)
      #expect(status == 1 && talk.contains("vscp: receive: failed to receive data: ") && talk.contains(text), "\(talk)")
    }
    #expect(folder.names() == [])
  }

  @Test func framesOutOfTurn() throws {
    let folder = TemporaryFolder()
    let offer = Frame.offer(Offer(size: 4, mode: 0o600, name: Array("f".utf8))).bytes
    let digest = try #require(Self.digest)
    let data: [UInt8] = FrameHeader(.data, length: 4).bytes + [1, 2, 3, 4]
    for (bytes, text) in [
      (Frame.begin(offset: 0).bytes, "sent a frame \"begin\" between files"),
      (data, "sent a frame \"data\" between files"),
      (Frame.stored(digest).bytes, "sent a frame \"stored\" between files"),
      (offer + offer, "sent a frame \"begin\" with an offset"),
      (offer + Frame.begin(offset: 3).bytes, "with an offset that was not offered"),
      (offer + data, "sent a frame \"data\" after an accept"),
      (offer + Frame.begin(offset: 0).bytes + offer, "sent a frame \"offer\" in the middle of a file"),
      (offer + Frame.begin(offset: 0).bytes + data.prefix(9), "closed the connection"),
      (offer + Frame.begin(offset: 0).bytes + [9, 9, 9, 9, 9, 9, 9, 9], "reserved bytes are not zero"),
    ] {
      let (status, talk) = try against(["-r", folder.path], VerifyRole.sender.hello + bytes, in: folder)
      #expect(status == 1 && talk.contains(text), "\(talk)")
      #expect(folder.read("f") == nil)
      folder.remove(".f.vscp-part")
    }
    #expect(folder.names() == [])
  }

  /// Random frames in random order at both ends: they end with an error or success, never with a file under its name
  /// that nobody proved, and never by crashing.
  @Test func randomConversationsEnd() throws {
    let folder = TemporaryFolder()
    folder.write("source", randomBytes(3000))
    let into = TemporaryFolder()
    for round in 0..<60 {
      var bytes = round % 2 == 0 ? VerifyRole.sender.hello : VerifyRole.receiver.hello
      for _ in 0..<Int.random(in: 1...6) {
        switch Int.random(in: 0..<8) {
        case 0: bytes += randomBytes(Int.random(in: 1...40))
        case 1: bytes += FrameHeader(.data, length: 100).bytes + randomBytes(100)
        case 2: bytes += Frame.begin(offset: 0).bytes
        default: bytes += try #require(frames().randomElement()).bytes
        }
      }
      let words = round % 2 == 0 ? ["-r", into.path] : ["-s", "\(folder.path)/source"]
      let (status, _) = try against(words, bytes, in: folder)
      #expect(status == 0 || status == 1)
      #expect(into.names().allSatisfy { $0.hasSuffix(".vscp-part") })
    }
  }
}
