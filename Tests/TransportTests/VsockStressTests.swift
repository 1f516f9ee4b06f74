import Glibc
import SocketKit
import TestSupport
import Testing

/// Many connections at once, each with random sizes in random pieces, checksums and half-closes: what virtsock's
/// sock_stress does, bounded.
@Suite(.exclusive, .guestOnly) struct VsockStressTests {
  private static let connections = 12
  private static let rounds = 2

  /// The server adds up what comes until the end of writing, and answers with the sum and the count.
  private func answer(_ socket: borrowing VsockStreamSocket) throws(SocketError) {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 20_000)
    while case .bytes(let count) = try socket.read(into: buffer.mutableSpan, until: .after(.seconds(30))) {
      all += buffer[..<count]
    }
    try socket.writeAll(checksum(all).span, until: .after(.seconds(30)))
    try socket.shutdown(.write)
  }

  private func ask(_ port: VsockPort, _ random: inout SeededNumbers) throws {
    let socket = try VsockStreamSocket.connect(to: .local(port: port), until: .after(.seconds(30)))
    var all: [UInt8] = []
    // One in four sends nothing at all.
    var left = random.next().isMultiple(of: 4) ? 0 : Int(random.next() % 150_000)
    while left > 0 {
      let piece = vsockRecord(Int(random.next() % 1000), 8 + Int(random.next() % 30_000))
      try socket.writeAll(piece.span, until: .after(.seconds(30)))
      all += piece
      left -= piece.count
    }
    try socket.shutdown(.write)
    var reply = [UInt8](repeating: 0, count: 16)
    try socket.readExactly(into: reply.mutableSpan, until: .after(.seconds(30)))
    #expect(reply == checksum(all))
    let end = try socket.read(into: reply.mutableSpan, until: .after(.seconds(30)))
    #expect(end == .endOfStream)
  }

  @Test func randomStreamsInParallel() throws {
    let listener = try VsockStreamSocket.listen(port: .any)
    let port = try listener.localAddress().port
    let failures = Failures()
    let clients = (0..<Self.connections).map { index in
      spawn {
        var random = SeededNumbers(UInt64(index))
        for _ in 0..<Self.rounds { failures.catching { try self.ask(port, &random) } }
      }
    }
    var servers: [RunningThread] = []
    for _ in 0..<Self.connections * Self.rounds {
      let socket = ThreadsOwn(try listener.accept(until: .after(.seconds(30))))
      servers.append(
        spawn { failures.catching { try socket.use { (socket) throws(SocketError) in try self.answer(socket) } } })
    }
    for thread in clients + servers { thread.join() }
    #expect(failures.all.isEmpty, "\(failures.all)")
  }
}

/// A sum that also tells the order of the bytes (FNV-1a over words), and their count.
private func checksum(_ bytes: [UInt8]) -> [UInt8] {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  // The loop reads a word only where eight bytes are left. An emulated machine is too slow for checked reads.
  unsafe bytes.withUnsafeBytes { memory in
    for place in stride(from: 0, to: memory.count, by: 8) {
      let word =
        unsafe memory.count - place >= 8
        ? memory.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        : memory[place...].reduce(0) { $0 << 8 | UInt64($1) }
      hash = (hash ^ word) &* 0x100_0000_01b3
    }
  }
  return hash.rawBytes + UInt64(bytes.count).rawBytes
}

/// A socket for the one thread that uses it; it closes with the thread's closure.
private final class ThreadsOwn<S: ~Copyable & Sendable>: Sendable {
  private let socket: S
  init(_ socket: consuming S) { self.socket = socket }
  func use(_ body: (borrowing S) throws(SocketError) -> Void) throws(SocketError) { try body(socket) }
}

/// What went wrong in several threads.
private final class Failures: Sendable {
  private let texts = Guarded<[String]>([])
  var all: [String] { texts.withLock { $0 } }
  func catching(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      texts.withLock { $0.append("\(error)") }
    }
  }
}
