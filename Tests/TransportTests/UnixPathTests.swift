import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

/// Paths as bytes, and paths that fill the kernel's address.
@Suite(.exclusive) struct UnixPathTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = temporaryPath("d")
    Files.makeFolder(folder)
    defer { Files.removeFolder(folder) }
    try body(folder)
  }

  /// A byte that is not UTF-8 is shown as U+FFFD. A file whose name has that character is another file.
  @Test func aPathThatIsNotUTF8IsLookedAtAsBytes() throws {
    try inFolder { folder in
      let bytes = Array(folder.utf8) + Array("/x".utf8) + [0xff]
      let shown = folder + "/x\u{fffd}"
      let other = try UnixStreamSocket.listen(on: UnixAddress(path: shown))
      do {
        let listener = try UnixStreamSocket.listen(on: UnixAddress(path: bytes))
        #expect(Files.exists(bytes))
        #expect(try listener.localAddress().name == bytes)
      }
      #expect(!Files.exists(bytes), "its file is left behind")
      do { _ = try UnixStreamSocket.listen(on: UnixAddress(path: bytes)).release() }
      #expect(Files.exists(bytes))
      let again = try UnixDatagramSocket.bind(to: UnixAddress(path: bytes))
      #expect(Files.exists(Array(shown.utf8)), "the live socket of another name is unlinked")
      _ = try UnixStreamSocket.connect(to: UnixAddress(path: shown), until: .after(patience))
      guard let _ = try other.accept() else { throw SocketError(code: .other, .accept) }
      try again.close()
      #expect(!Files.exists(bytes))
      try other.close()
    }
  }

  private func longest(in folder: String) throws -> UnixAddress {
    try UnixAddress(path: folder + "/" + String(repeating: "p", count: 108 - folder.utf8.count - 1))
  }

  @Test func aPeerAtAPathOf108BytesIsNamedAndAnswered() throws {
    try inFolder { folder in
      let address = try longest(in: folder)
      #expect(address.name.count == 108)
      let client = try UnixDatagramSocket.bind(to: address)
      #expect(try client.localAddress() == address)
      let server = try UnixDatagramSocket.bind(to: .unnamed)
      var buffer: [UInt8] = [0]
      // By message, with its sender only, and in a batch: each is answered to where it came from.
      for index in 0..<3 as Range<UInt8> { _ = try client.send([index].span, to: server.localAddress()) }
      var info = MessageInfo()
      _ = try server.receive(into: buffer.mutableSpan, &info)
      let sender = info.address
      #expect(UnixAddress(sender) == address && sender == AnySocketAddress(address))
      let answer: [UInt8] = [7]
      let answered = sender.withBytes { server.attemptSend(answer.span, ancillary: RawSpan(), to: $0, flags: []) }
      #expect(answered.raw == 1)
      var from: UnixAddress?
      _ = try server.receive(into: buffer.mutableSpan, from: &from)
      #expect(from == address)
      if let from { #expect(try server.send([8].span, to: from) == 1) }
      var batch = MessageBatch(capacity: 4, messageCapacity: 8)
      let many = try batch.receive(from: server)
      #expect(many == 1 && batch[0].address == AnySocketAddress(address))
      let echoed = try batch.send(on: server)
      #expect(echoed == 1)
      for expected in [7, 8, 2] as [UInt8] {
        _ = try client.receive(into: buffer.mutableSpan, &info)
        #expect(buffer == [expected])
      }
      try client.close()
      #expect(!Files.exists(address.name))
    }
  }

  @Test func aListenerAtAPathOf108BytesIsReachedAndCleaned() throws {
    try inFolder { folder in
      let address = try longest(in: folder)
      do { _ = try UnixStreamSocket.listen(on: address).release() }
      let listener = try UnixStreamSocket.listen(on: address)
      #expect(try listener.localAddress() == address)
      let client = try UnixStreamSocket.connect(to: address, until: .after(patience))
      #expect(try client.remoteAddress() == address)
      var peer = AnySocketAddress()
      guard let _ = try listener.accept(reporting: &peer) else { throw SocketError(code: .other, .accept) }
      try listener.close()
      #expect(!Files.exists(address.name))
    }
  }
}
