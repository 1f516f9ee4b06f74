import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// What a run of vscp says, with a fixed time in front of each line.
final class Talk: Sendable {
  private let said = Guarded("")

  func add(_ text: String) { said.withLock { $0 += text } }

  var text: String { said.withLock { $0 } }

  func console(input: Int32 = 0, output: Int32 = 1) -> VscpConsole {
    var console = VscpConsole { [self] in add($0) }
    console.stamp = { "TIME " }
    console.input = RawDescriptor(input)
    console.output = RawDescriptor(output)
    return console
  }

  /// The address behind "listening: ", once it is said.
  func listeningAddress() -> String? {
    for _ in 0..<2000 {
      for line in text.split(separator: "\n") {
        if let mark = line.firstRange(of: "listening: ") { return String(line[mark.upperBound...]) }
      }
      sleep(milliseconds: 5)
    }
    return nil
  }
}

/// Runs one end on a thread.
final class VscpEnd: @unchecked Sendable {
  let talk = Talk()
  private(set) var status: Int32 = -1
  private var thread: RunningThread?

  init(_ words: [String], input: Int32 = 0, output: Int32 = 1) {
    let console = talk.console(input: input, output: output)
    thread = spawn { [self] in status = VscpCommand.run(words, console: console) }
  }

  func join() -> Int32 {
    thread?.join()
    thread = nil
    return status
  }
}

func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  let words = (0..<(count + 7) / 8).map { _ in generator.next() }
  return [UInt8](copying: words.span.integerBytes.extracting(first: count))
}

/// Both ends in this process, over one transport. The receiver listens.
func exchange(
  _ address: String, receive: [String], send: [String]
) throws -> (receiver: (status: Int32, text: String), sender: (status: Int32, text: String)) {
  let receiver = VscpEnd(["--listen", address] + receive)
  let actual = try #require(receiver.talk.listeningAddress(), "\(receiver.talk.text)")
  let talk = Talk()
  let status = VscpCommand.run(["--to", actual] + send, console: talk.console())
  let received = receiver.join()
  return ((received, receiver.talk.text), (status, talk.text))
}

/// A connection to or from a vscp, whose other end the test plays byte by byte.
final class RawPeer: Sendable {
  let socket: UnixStreamSocket
  private let deadline = Deadline.after(.seconds(20))

  init(to address: String) throws {
    let endpoint = try UnixStreamSocket.endpointFormat.parse(EndpointText(parsing: address).body)
    socket = try UnixStreamSocket.connect(to: endpoint, until: deadline)
  }

  init(from listener: borrowing Listener<UnixStreamSocket>) throws {
    socket = try listener.accept(until: .after(.seconds(20)))
  }

  func send(_ bytes: [UInt8]) throws { try socket.writeAll(bytes.span, until: deadline) }

  func receive(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try socket.readExactly(into: bytes.mutableSpan, until: deadline)
    return bytes
  }

  func receiveFrame() throws -> Frame {
    let header = try FrameHeader(parsing: receive(8)[...])
    return try Frame(header.kind, parsing: receive(header.length)[...])
  }

  /// As a receiver: the greeting, the first offer accepted, and its beginning.
  func takeOffer(_ name: String) throws {
    try send(VerifyRole.receiver.hello)
    #expect(try receive(8) == VerifyRole.sender.hello)
    try accept(name)
    #expect(try receiveFrame() == .begin(offset: 0))
  }

  /// As a receiver: an offer of that name, accepted from an offset.
  func accept(_ name: String, at offset: UInt64 = 0) throws {
    guard case .offer(let offer) = try receiveFrame() else {
      Issue.record("no offer of \(name)")
      return
    }
    #expect(offer.name == Array(name.utf8))
    try send(Frame.accept(offset: offset, SHA256.digest(of: [])).bytes)
  }

  /// Whatever comes to the end.
  func receiveAll() throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      guard case .bytes(let count) = try socket.read(into: chunk.mutableSpan, until: deadline) else { return bytes }
      bytes += chunk.prefix(count)
    }
  }

  func finishSending() throws { try socket.shutdown(.write) }
}

/// Two files verified over one address, one of them resumed.
func verified(_ address: String) throws {
  let (from, into) = (TemporaryFolder(), TemporaryFolder())
  let bytes = randomBytes(300_001)
  from.write("f", bytes)
  from.write("g", [])
  into.write(".f.vscp-part", Array(bytes.prefix(100_000)), mode: 0o600)
  let (receiver, sender) = try exchange(
    address, receive: ["--verify", into.path], send: ["--verify", "\(from.path)/f", "\(from.path)/g"])
  #expect(receiver.status == 0 && sender.status == 0, "\(receiver.text)\(sender.text)")
  #expect(into.read("f") == bytes && into.names() == ["f", "g"] && sender.text.contains("resuming \"f\" at 100000"))
}

/// A receiver that gives up, and a sender that waits for a pipe without a limit of its own: it ends too.
func idleVerified(_ address: String) throws {
  let into = TemporaryFolder()
  let pipe = CLibrary.pipe()
  let receiver = VscpEnd(["--verify", "--idle-timeout", "300ms", "--listen", address, into.path])
  let sender = VscpEnd(["--verify", "--to", try #require(receiver.talk.listeningAddress())], input: pipe.readEnd)
  #expect(receiver.join() == 1 && receiver.talk.text.contains("failed to receive data: read: timed out"))
  for _ in 0..<2000 where !sender.talk.text.contains("failed to send data") { sleep(milliseconds: 5) }
  let talk = sender.talk.text
  // Frees a sender that hangs.
  close(pipe.writeEnd)
  #expect(sender.join() == 1 && talk.contains("failed to send data: "), "\(talk)")
  close(pipe.readEnd)
}

/// A plain sender that gives its pipe up: the receiver must not take that for the end of the file.
func brokenOffPlain(_ address: String) throws {
  let into = TemporaryFolder()
  let pipe = CLibrary.pipe()
  defer { for number in [pipe.readEnd, pipe.writeEnd] { close(number) } }
  let receiver = VscpEnd(["--listen", address, "\(into.path)/f"])
  let sender = VscpEnd(
    ["--to", try #require(receiver.talk.listeningAddress()), "--idle-timeout", "300ms"], input: pipe.readEnd)
  #expect(CLibrary.write(pipe.writeEnd, Array("half".utf8)) == 4)
  #expect(sender.join() == 1 && receiver.join() == 1, "\(receiver.talk.text)")
  #expect(receiver.talk.text.contains("failed to receive data: read: connection reset"))
  #expect(into.read("f") == Array("half".utf8))
}
