import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// The built command, as processes that are killed and that talk to other programs.
@Suite(.exclusive) struct VscpProcessTests {
  @Test(arguments: ["tcp://127.0.0.1:0", "unix:@"])
  func aMebibyteArrivesInBothModes(_ where: String) throws {
    let folder = TemporaryFolder()
    folder.makeFolder("into")
    let bytes = randomBytes(1 << 20)
    folder.write("f", bytes)
    for options in [[], ["--verify"]] {
      let name = options.isEmpty ? "\(folder.path)/into/plain" : "\(folder.path)/into"
      let log = "log\(options.count)"
      let receiver = try VscpProcess.start(
        ["--listen", `where`, "-h"] + options + [name], log: "\(folder.path)/\(log)")
      let sender = try VscpProcess.start(
        ["--to", try VscpProcess.address(in: log, of: folder)] + options + ["\(folder.path)/f"], log: "/dev/null")
      #expect(sender.finish().status == 0 && receiver.finish().status == 0)
      let text = String(decoding: folder.read(log) ?? [], as: UTF8.self)
      #expect(text.contains("sha256 checksum: \(try SHA256.digest(of: bytes))"))
      // The date is Go's.
      let stamp = #/^[0-9]{4}.[01][0-9].[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] receive: /#
      #expect(text.firstMatch(of: stamp) != nil && text.prefix(8).filter { $0 == "/" }.count == 2)
    }
    #expect(folder.read("into/plain") == bytes && folder.read("into/f") == bytes)
  }

  @Test func dataAloneGoesToStandardOutput() throws {
    let folder = TemporaryFolder()
    folder.write("f", Array("only this".utf8))
    let receiver = try VscpProcess.start(["--listen", "unix:@", "-v", "-h"], log: "\(folder.path)/log")
    let `where` = try VscpProcess.address(in: "log", of: folder)
    let sender = try VscpProcess.start(["--to", `where`, "-v", "-"], log: "/dev/null", "<\(folder.path)/f")
    #expect(sender.finish() == ([], 0))
    #expect(receiver.finish() == (Array("only this".utf8), 0))
  }

  /// One end is killed with the file half on its way: no wrong file then, and the next run goes on where that one
  /// ended.
  @Test(arguments: [true, false])
  func killedHalfWayAndResumed(_ killsSender: Bool) throws {
    let folder = TemporaryFolder()
    folder.makeFolder("into")
    let bytes = randomBytes(2 << 20)
    folder.write("f", bytes)
    let receive = ["--listen", "tcp://127.0.0.1:0", "--verify", "\(folder.path)/into"]
    let receiver = try VscpProcess.start(receive, log: "\(folder.path)/log1")
    let half = Relay(to: try VscpProcess.address(in: "log1", of: folder), limit: 1 << 20)
    let sender = try VscpProcess.start(
      ["--to", try #require(half.address), "--verify", "\(folder.path)/f"], log: "/dev/null")
    #expect(half.waitForLimit())
    // Let what was passed on be written.
    for _ in 0..<1000 where (folder.read("into/.f.vscp-part")?.count ?? 0) < 1 << 19 { sleep(milliseconds: 10) }
    (killsSender ? sender : receiver).signal(SIGKILL)
    half.stop()
    #expect((killsSender ? receiver : sender).finish().status == 1)
    _ = (killsSender ? sender : receiver).finish()
    #expect(folder.read("into/f") == nil)
    let part = folder.read("into/.f.vscp-part")?.count ?? 0
    #expect(part >= 1 << 19 && part <= 1 << 20)

    let second = try VscpProcess.start(receive, log: "\(folder.path)/log2")
    let again = try VscpProcess.start(
      ["--to", try VscpProcess.address(in: "log2", of: folder), "--verify", "\(folder.path)/f"],
      log: "\(folder.path)/log3")
    #expect(again.finish().status == 0 && second.finish().status == 0)
    #expect(folder.read("into/f") == bytes && folder.read("into/.f.vscp-part") == nil)
    #expect(String(decoding: folder.read("log3") ?? [], as: UTF8.self).contains("resuming \"f\" at \(part) bytes"))
  }

  @Test(arguments: ["socat", "ncat"])
  func otherProgramsAtTheOtherEnd(_ program: String) throws {
    let found = PeerProcess.exists(program)
    #expect(found || !mustBeAvailable, "unavailable: \(program) is not installed")
    guard found else { return }
    let folder = TemporaryFolder()
    let bytes = randomBytes(300_001)
    folder.write("f", bytes)
    let (file, path) = ("\(folder.path)/f", "\(folder.path)/s")
    // They send, and close.
    let receiver = try VscpProcess.start(
      ["--listen", "unix:\(path)", "\(folder.path)/from"], log: "\(folder.path)/log")
    _ = try VscpProcess.address(in: "log", of: folder)
    let client =
      program == "socat"
      ? "socat -u OPEN:\(file) UNIX-CONNECT:\(path)" : "ncat -U --send-only \(path) <\(file)"
    #expect(try #require(PeerProcess(["sh", "-c", client])).finish().status == 0)
    #expect(receiver.finish().status == 0 && folder.read("from") == bytes)
    // They listen, and write what comes.
    let server =
      program == "socat"
      ? "exec socat -u UNIX-LISTEN:\(path) CREATE:\(folder.path)/to"
      : "exec ncat -l -U --recv-only \(path) >\(folder.path)/to"
    let peer = try #require(PeerProcess(["sh", "-c", server]))
    for _ in 0..<1000 where !folder.has("s") { sleep(milliseconds: 10) }
    var status: Int32 = 1
    // Bound is not yet listening.
    for _ in 0..<50 where status != 0 {
      status = try VscpProcess.start(["--to", "unix:\(path)", file], log: "/dev/null").finish().status
      if status != 0 { sleep(milliseconds: 20) }
    }
    #expect(status == 0 && peer.finish().status == 0 && folder.read("to") == bytes)
  }
}

/// Passes bytes between a client and a TCP address, so many towards it and not one more.
private final class Relay: @unchecked Sendable {
  private let state = Guarded((isFull: false, isStopped: false))
  private var thread: RunningThread?
  private(set) var address: String?

  init(to target: String, limit: Int) {
    guard let listener = try? TCPSocket.listen(on: .loopback(port: 0)), let own = try? listener.localAddress(),
      let body = try? EndpointText(parsing: target).body, let endpoint = try? IPEndpoint(body: body)
    else { return }
    address = TCPSocket.endpointFormat.text(of: own)
    let number = listener.release().release()
    thread = spawn { [self] in
      guard let listener = try? Listener<TCPSocket>(adopting: owning(number)),
        let near = try? listener.accept(until: .after(.seconds(30))),
        let far = try? TCPSocket.connect(to: endpoint, until: .after(.seconds(30)))
      else { return }
      pass(near, far, limit)
    }
  }

  private func pass(_ near: borrowing TCPSocket, _ far: borrowing TCPSocket, _ limit: Int) {
    var passed = 0
    var buffer = [UInt8](repeating: 0, count: 65536)
    let deadline = Deadline.after(.seconds(60))
    do {
      while !state.withLock({ $0.isStopped }) {
        if passed < limit {
          var span = buffer.mutableSpan
          let room = min(65536, limit - passed)
          switch try near.read(into: span._mutatingExtracting(first: room)) {
          case .bytes(let count):
            try far.writeAll(buffer.span.extracting(first: count), until: deadline)
            passed += count
          case .endOfStream: return
          case nil: break
          }
        } else {
          state.withLock { $0.isFull = true }
        }
        switch try far.read(into: buffer.mutableSpan) {
        case .bytes(let count): try near.writeAll(buffer.span.extracting(first: count), until: deadline)
        case .endOfStream: return
        case nil: sleep(milliseconds: 1)
        }
      }
    } catch {
      // The killed end's connection is reset; the test looks at what the other end does.
    }
  }

  func waitForLimit() -> Bool {
    for _ in 0..<3000 {
      if state.withLock({ $0.isFull }) { return true }
      sleep(milliseconds: 10)
    }
    return false
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    thread?.join()
    thread = nil
  }

  deinit { stop() }
}
