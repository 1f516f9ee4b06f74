import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct SendFileTests {
  private let content = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

  /// An open temporary file with these bytes, unlinked already.
  private func file(_ bytes: [UInt8]) -> Descriptor {
    let number = Files.unnamed(holding: bytes)
    lseek(number, 0, SEEK_SET)
    return owning(number)
  }

  private func tcpPair() throws -> SocketPair<TCPSocket> {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    return SocketPair(client, try listener.accept(until: .after(.seconds(5))))
  }

  /// Reads so many bytes; what the socket has now, without waiting.
  private func take<S: StreamSocket & ~Copyable>(_ socket: borrowing S, into received: inout [UInt8]) throws {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case .bytes(let count) = try socket.read(into: chunk.mutableSpan) { received += chunk.prefix(count) }
  }

  @Test func aFileGoesThroughInPieces() throws {
    let source = file(content)
    let pair = try tcpPair()
    try pair.first.setOption(.sendBuffer, to: 65536)
    var offset: Int64? = 3
    var received: [UInt8] = []
    var sent = 3
    var blocked = 0
    sending: while true {
      switch try source.raw.sendFile(to: pair.first, offset: &offset, count: 1 << 30) {
      case .bytes(let count): sent += count
      case nil:
        blocked += 1
        try take(pair.second, into: &received)
      case .endOfStream: break sending
      }
      #expect(offset == Int64(sent))
    }
    let deadline = Deadline.after(.seconds(10))
    while received.count < content.count - 3 && !deadline.hasPassed { try take(pair.second, into: &received) }
    #expect(received == Array(content[3...]) && sent == content.count && blocked > 0)
    // With an offset the file's own position stays.
    #expect(lseek(source.raw.value, 0, SEEK_CUR) == 0)
  }

  @Test func withoutAnOffsetTheFilesPositionMoves() throws {
    let source = file(Array("0123456789".utf8))
    let pair = try UnixStreamSocket.pair()
    var none: Int64?
    let first = try source.raw.sendFile(to: pair.first, offset: &none, count: 4)
    let nothing = try source.raw.sendFile(to: pair.first, offset: &none, count: 0)
    let second = try source.raw.sendFile(to: pair.first, offset: &none, count: 100)
    let end = try source.raw.sendFile(to: pair.first, offset: &none, count: 100)
    #expect(first == .bytes(4) && nothing == .bytes(0) && second == .bytes(6) && end == .endOfStream && none == nil)
    var received: [UInt8] = []
    try take(pair.second, into: &received)
    #expect(received == Array("0123456789".utf8))
  }

  @Test func badArgumentsAreTypedErrors() throws {
    let source = file([1])
    let pair = try UnixStreamSocket.pair()
    func code(_ body: () throws(SocketError) -> Void) -> SocketError.Code? {
      let error = failure(SocketError.self, body)
      #expect(error?.operation == .transfer)
      return error?.code
    }
    var offset: Int64? = 0
    var negative: Int64? = -1
    let number = pair.second.descriptor
    #expect(
      code { () throws(SocketError) in _ = try source.raw.sendFile(to: pair.first, offset: &offset, count: -1) }
        == .invalidArgument)
    #expect(
      code { () throws(SocketError) in _ = try source.raw.sendFile(to: pair.first, offset: &negative, count: 1) }
        == .invalidArgument)
    #expect(
      code { () throws(SocketError) in
        _ = try RawDescriptor(9999).sendFile(to: pair.first, offset: &offset, count: 1)
      } == .closed)
    // No pipe among them.
    #expect(
      code { () throws(SocketError) in _ = try source.raw.splice(to: number, count: 1) } == .invalidArgument)
    #expect(code { () throws(SocketError) in _ = try number.splice(to: number, count: -1) } == .invalidArgument)
    #expect(
      code { () throws(SocketError) in _ = try RawDescriptor(9999).splice(to: number, count: 1) } == .closed)
    let tiny = failure(SocketError.self) { () throws(SocketError) in _ = try Pipe(capacity: 0) }
    #expect(tiny?.code == .invalidArgument)
  }

  @Test func aPipeHasRoomAndBlocks() throws {
    var pipe = try Pipe(capacity: 100_000)
    let capacity = pipe.capacity
    #expect(capacity == 131_072)
    try pipe.setCapacity(4096)
    let small = pipe.capacity
    #expect(small == 4096)
    let source = try UnixStreamSocket.pair()
    let nothing = try pipe.fill(from: source.second, count: 10)
    let empty = try pipe.drain(to: source.first)
    #expect(nothing == nil && empty == 0)
    _ = try source.first.write([UInt8](repeating: 1, count: 8000).span)
    var filled = 0
    while case .bytes(let count) = try pipe.fill(from: source.second, count: 8000) { filled += count }
    let inside = pipe.byteCount
    #expect(filled == inside && filled > 0 && filled < 8000)
    let target = try UnixStreamSocket.pair()
    let drained = try pipe.drain(to: target.first)
    let left = pipe.byteCount
    #expect(drained == filled && left == 0)
    for number in [pipe.readEnd.value, pipe.writeEnd.value] {
      #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0 && fcntl(number, F_GETFL) & O_NONBLOCK != 0)
    }
    try pipe.split { (reading, writing) throws(SocketError) in
      try writing.close()
      try reading.close()
    }
  }

  @Test func aRelayCarriesEverythingAndTheEnd() throws {
    let near = try tcpPair()
    let far = try tcpPair()
    try far.first.setOption(.sendBuffer, to: 65536)
    var pipe = try Pipe()
    var written = 0
    var received: [UInt8] = []
    var fullTargets = 0
    var isOver = false
    var ended = false
    let deadline = Deadline.after(.seconds(20))
    while !ended && !deadline.hasPassed {
      if written < content.count {
        if let count = try near.first.write(content.span.extracting(droppingFirst: written)) {
          written += count
        }
        if written == content.count { try near.first.shutdown(.write) }
      }
      if !isOver {
        switch try pipe.relay(from: near.second, to: far.first, count: 1 << 16) {
        case .moved: break
        case .sourceEmpty: break
        case .targetFull: fullTargets += 1
        case .endOfStream:
          try far.first.shutdown(.write)
          isOver = true
        }
      }
      // Read only when nothing else moves, so that the target becomes full.
      if fullTargets > 0 || isOver {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        switch try far.second.read(into: chunk.mutableSpan) {
        case .bytes(let count): received += chunk.prefix(count)
        case .endOfStream: ended = true
        case nil: break
        }
      }
    }
    #expect(ended && received == content && fullTargets > 0)
  }
}
