import SocketKit
import TestSupport
import Testing

/// Ends that are not what they look like: reading has ended, and what was sent is still under way.
@Suite(.exclusive, .needsSCTP) struct SCTPEndingTests {
  /// Writes until the peer, which does not read, has no room.
  private func fill(_ socket: borrowing SCTPSocket) throws -> Int {
    let block = [UInt8](repeating: 1, count: 16384)
    var total = 0
    while let count = try socket.write(block.span) { total += count }
    return total
  }

  @Test func aPeerThatHasEndedItsWritingHasNotReadEverything() throws {
    try sctpPair().split { client, server in
      _ = try fill(client)
      try server.shutdown(.write)
      var byte: [UInt8] = [0]
      let end = try client.read(into: byte.mutableSpan, until: .after(sctpSoon))
      #expect(end == .endOfStream)
      let began = milliseconds()
      let ending = try client.close(until: .after(.milliseconds(300)))
      #expect(ending == .aborted && milliseconds() - began >= 299)
    }
    // And one that reads on in the end has.
    try sctpPair().split { client, server in
      let sent = try fill(client)
      try server.shutdown(.write)
      let shared = Shared(server)
      // The kernel tells it of no end, because the end is its own doing.
      let reader = ThreadResult { shared.value.readAll(sent) }
      let ending = try client.close(until: .after(.seconds(20)))
      #expect(ending == .graceful && reader.join() == sent)
    }
  }

  @Test func anOwnShutdownBeforeIsNoEnd() throws {
    for direction in [ShutdownDirection.read, .both] {
      try sctpPair().split { client, server in
        _ = try fill(client)
        try client.shutdown(direction)
        let used = threadCPUTime()
        let began = milliseconds()
        let ending = try client.close(until: .after(.milliseconds(400)))
        #expect(ending == .aborted && milliseconds() - began >= 399)
        #expect(threadCPUTime() - used < 300)
        _ = server.descriptor
      }
      let sockets = try EndpointPair().peel()
      let block = [UInt8](repeating: 7, count: 50_000)
      while try sockets.first.send(block.span) != nil {}
      try sockets.split { near, far in
        try near.shutdown(direction)
        let began = milliseconds()
        let ending = try near.close(until: .after(.milliseconds(300)))
        #expect(ending == .aborted && milliseconds() - began >= 299)
        _ = far.descriptor
      }
    }
  }

  @Test func aPeerThatNeverStopsSendingDoesNotHoldItUp() throws {
    try sctpPair().split { client, server in
      _ = try fill(client)
      let shared = Shared(server)
      let flood = ThreadResult { shared.value.writeToEnd() }
      let began = milliseconds()
      let ending = try client.close(until: .after(.milliseconds(300)))
      #expect(ending == .aborted && milliseconds() - began < 5000)
      #expect(flood.join() > 0)
    }
  }

  @Test func aBatchDoesNotSwallowTheReset() throws {
    let sockets = try EndpointPair().peel()
    for index in 0..<2 as Range<UInt8> { try sockets.first.sendNow([index], SCTPSendInfo()) }
    sleep(milliseconds: 50)
    try sockets.first.abort(reason: "because".utf8.span)
    sleep(milliseconds: 50)
    var batch = MessageBatch(capacity: 8, messageCapacity: 100)
    #expect(try batch.receive(from: sockets.second) == 2)
    #expect(batch.count == 2)
    #expect(failureCode { _ = try batch.receive(from: sockets.second) } == .connectionReset)
    #expect(try batch.receive(from: sockets.second) == 0)
  }
}

extension SCTPSocket {
  fileprivate borrowing func readAll(_ count: Int) -> Int {
    var buffer = [UInt8](repeating: 0, count: count)
    return failure { () throws(SocketError) in
      try readExactly(into: buffer.mutableSpan, until: .after(sctpSoon))
    }?.transferred ?? count
  }

  fileprivate borrowing func writeToEnd() -> Int {
    let block = [UInt8](repeating: 2, count: 1000)
    var total = 0
    while let count = try? write(block.span, until: .after(sctpSoon)) { total += count }
    return total
  }
}
