internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var signalRules: [ConformanceRule] {
    rule(
      "signal.pending-read", "A signal handler that runs during a waiting read neither ends the read nor loses data."
    ) { ends in
      let handled = try SignalWatch.interrupting(times: 5, then: { try ends.far.writeAll([1, 2, 3]) }) {
        try requireEqual(try ends.near.readExactly(3), [1, 2, 3], "the bytes read")
      }
      try requireEqual(handled, 5, "the number of handled signals")
    }
      + rule(
        "signal.deadline", "A signal handler that runs during a wait does not change the time at which the wait ends."
      ) { ends in
        try SignalWatch.interrupting(times: 5, during: Times.short) { time in
          let watch = Stopwatch()
          var byte: [UInt8] = [0]
          try requireError(.timedOut, in: "a read") {
            try ends.near.value.read(into: byte.mutableSpan, until: .after(time))
          }
          try watch.require(from: time, "the read")
        }
      }
      + rule(
        "signal.pending-write",
        "A signal handler that runs during a waiting write does not end the write or lose or duplicate bytes."
      ) {
        ends in
        var random = SeededRandom(seed: 7)
        let sent = random.bytes(8 << 20)
        let reader = RuleThread { () -> [UInt8] in
          pause(.milliseconds(30))
          return try ends.far.readExactly(sent.count)
        }
        let handled = try SignalWatch.interrupting(times: 5) { try ends.near.writeAll(sent) }
        try requireEqual(handled, 5, "the number of handled signals")
        try requireSameBytes(try reader.join(), sent, "the bytes read")
      }
  }

  var concurrencyRules: [ConformanceRule] {
    rule(
      "concurrent.methods", "Several threads can read, write, change deadlines and query addresses at the same time."
    ) {
      ends in
      let reading = WaitControl()
      let writing = WaitControl()
      let bodies: [@Sendable () throws -> Void] = [
        { try tolerate { _ = try ends.near.readSome(until: .after(.milliseconds(10)).cancellable(by: reading)) } },
        {
          try tolerate {
            _ = try ends.near.value.write([0, 0, 0, 0].span, until: .after(.milliseconds(10)).cancellable(by: writing))
          }
        },
        { reading.setDeadline(.after(.milliseconds(10))) },
        { reading.setDeadline(.past) },
        { writing.setDeadline(.past) },
        { _ = try ends.near.value.localAddress() },
        { _ = try ends.near.value.remoteAddress() },
      ]
      let threads = bodies.map { body in RuleThread { for _ in 0..<100 { try body() } } }
      for thread in threads { try thread.join(within: .seconds(15)) }
      try ends.resynchronize()
      try ends.roundTrip("afterwards")
    }
      + rule("concurrent.writers", "If several threads write and read at the same time, no byte is lost or duplicated.")
    { ends in
      let count = 20_000
      let writers = (1...4).map { number in
        RuleThread {
          for _ in 0..<count / 100 { try ends.near.writeAll([UInt8](repeating: UInt8(number), count: 100)) }
        }
      }
      let readers = (0..<2).map { _ in
        RuleThread { () -> [Int] in
          var seen = [Int](repeating: 0, count: 256)
          for byte in try ends.far.readExactly(2 * count) { seen[Int(byte)] += 1 }
          return seen
        }
      }
      for writer in writers { try writer.join() }
      var total = [Int](repeating: 0, count: 256)
      for reader in readers { total = zip(total, try reader.join()).map { $0 + $1 } }
      for number in 1...4 where total[number] != count {
        throw ConformanceFailure(
          "\(total[number]) bytes of writer \(number), expected \(count): a call on one thread changed state that "
            + "another thread's call uses. A lock must protect state that depends on the bytes during each whole call."
        )
      }
      try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last byte")
    }
  }
}

private func tolerate(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as SocketError {
    try requireEqual(error.code, .timedOut, "the error of a concurrent call")
  }
}
