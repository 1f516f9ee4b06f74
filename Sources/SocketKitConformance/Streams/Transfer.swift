internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var transferRules: [ConformanceRule] {
    rule("transfer.basic-io", "The peer receives 1 MiB of random bytes, written 1024 bytes at a time, unchanged.") {
      ends in
      var random = SeededRandom(seed: 1)
      let sent = random.bytes(1 << 20)
      let writer = RuleThread {
        for offset in stride(from: 0, to: sent.count, by: 1024) {
          try ends.near.writeAll(Array(sent[offset..<offset + 1024]))
        }
      }
      let seen = try ends.far.readAll(upTo: sent.count, chunk: 1024, until: .after(Times.limit))
      try writer.join()
      try requireSameBytes(seen, sent, "the bytes read")
      try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last byte")
      ends.near.close()
      try requireEqual(try ends.far.readAll(until: .after(Times.limit)), [], "the bytes up to the end of the stream")
    }
      + rule("transfer.ping-pong", "The two ends can alternate 1000 small messages.") { ends in
        let other = RuleThread { try countUp(ends.far) }
        try ends.near.writeAll(Array(littleEndian: 0))
        try countUp(ends.near)
        ends.near.close()
        try other.join()
      }
      + rule("transfer.both-ways", "Both directions transfer bytes at the same time.") { ends in
        var random = SeededRandom(seed: 2)
        let there = random.bytes(300_000)
        let back = random.bytes(300_000)
        let threads = [
          RuleThread { try ends.near.writeAll(there) },
          RuleThread { try ends.far.writeAll(back) },
          RuleThread {
            try requireSameBytes(try ends.far.readExactly(there.count), there, "the bytes that the far end read")
          },
          RuleThread {
            try requireSameBytes(try ends.near.readExactly(back.count), back, "the bytes that the near end read")
          },
        ]
        for thread in threads { try thread.join() }
      }
      + rule("transfer.slow-reader", "A slow reader receives all bytes, even if the writer must wait many times.") {
        ends in
        var random = SeededRandom(seed: 3)
        let sent = random.bytes(8 << 20)
        let writer = RuleThread { try ends.near.writeAll(sent) }
        pause(Times.settle)
        var seen: [UInt8] = []
        for _ in 0..<5 {
          seen += try ends.far.readAll(upTo: 10_000, until: .after(Times.limit))
          pause(.milliseconds(2))
        }
        seen += try ends.far.readExactly(sent.count - seen.count)
        try writer.join()
        try requireSameBytes(seen, sent, "the bytes read")
      }
      + rule(
        "transfer.scatter-gather",
        "Gathered writes and scattered reads keep the order of the bytes and report the correct count."
      ) {
        ends in
        var random = SeededRandom(seed: 4)
        let head = random.bytes(5)
        let body = random.bytes(2000)
        let tail = random.bytes(77)
        guard let count = try ends.near.value.write(gathering: GatherList(head.span, body.span, Span(), tail.span))
        else {
          throw ConformanceFailure("a gathered write of 2082 bytes would block on a new connection")
        }
        try require(count >= 1 && count <= 2082, "a gathered write reported \(count) bytes of 2082")
        let sent = Array((head + body + tail).prefix(count))
        var seen: [UInt8] = []
        var first = [UInt8](repeating: 0, count: 3)
        var second = [UInt8](repeating: 0, count: 4096)
        let deadline = Deadline.after(Times.limit)
        while seen.count < count {
          switch try ends.far.value.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan)) {
          case .bytes(let n): seen += (first + second).prefix(n)
          case nil: try require(!deadline.hasPassed, "only \(seen.count) of \(count) bytes arrived")
          case .endOfStream:
            throw ConformanceFailure("the end of the stream was reported after \(seen.count) of \(count) bytes")
          }
        }
        try requireSameBytes(seen, sent, "the bytes of the scattered reads")
        var none: [UInt8] = []
        var nothing: [UInt8] = []
        let empty = try ends.far.value.read(scattering: ScatterList(none.mutableSpan, nothing.mutableSpan))
        try requireEqual(empty, .bytes(0), "a read into two empty buffers")
      }
      + rule("transfer.strategies", "Reads return the same bytes whether they sleep, spin, or spin before they sleep.")
    { ends in
      try delayedByte(ends, "a sleeping wait") { $0 }
      try delayedByte(ends, "a spinning wait") { $0.spinning() }
      try delayedByte(ends, "a wait that spins, then sleeps") { $0.spinning(40, thenYielding: 4) }
      try delayedByte(ends, "a wait that yields, then sleeps") { $0.spinning(0, thenYielding: 100) }
    }
  }
}

/// Repeatedly reads a number, checks that it is the last number read plus two, and writes the next number. Returns
/// when the number has reached 1000, or at the end of the stream.
private func countUp<S: StreamSocket & ~Copyable>(_ socket: Shared<S>) throws {
  var last: UInt64?
  while true {
    let bytes = try socket.readAll(upTo: 8, until: .after(Times.limit))
    if bytes.isEmpty { return }
    try requireEqual(bytes.count, 8, "the number of bytes of an integer")
    let number = bytes.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    if let last { try requireEqual(number, last + 2, "the next number") }
    last = number
    if number < 1000 { try socket.writeAll(Array(littleEndian: number + 1)) }
    if number >= 999 { return }
  }
}

private func delayedByte<S: StreamSocket & ~Copyable>(
  _ ends: Ends<S>, _ name: String, _ limit: (Deadline) -> some WaitLimit
) throws {
  let writer = RuleThread {
    pause(.milliseconds(5))
    try ends.near.writeAll([1, 2, 3])
  }
  var bytes = [UInt8](repeating: 0, count: 3)
  try ends.far.value.readExactly(into: bytes.mutableSpan, until: limit(.after(Times.limit)))
  try writer.join()
  try requireEqual(bytes, [1, 2, 3], "the bytes read by \(name)")
  try requireError(.timedOut, in: "\(name) without data") {
    try ends.far.value.read(into: bytes.mutableSpan, until: limit(.after(.milliseconds(5))))
  }
}
