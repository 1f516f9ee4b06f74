internal import SocketKitCore

extension PollerOverStreamSuite where P: ~Copyable, S: ~Copyable {
  var readinessRules: [ConformanceRule] {
    rule("readable", "A stream is reported as readable while data is left to read, and not afterwards.") {
      poller, ends in
      try poller.register(ends.near.value, for: .readable, token: tokenA)
      try poller.requireQuiet("before anything was sent")
      try ends.far.writeAll([1, 2, 3, 4])
      for byte in 1...4 as ClosedRange<UInt8> {
        // A poller does not report bytes that the socket's type has already read from the kernel and buffers itself.
        if !ends.near.value.pending.contains(.readable) {
          try poller.requireEvent(tokenA, .readable, "with byte \(byte) to read")
        }
        try requireEqual(try ends.near.readOnce(1).bytes, [byte], "the byte that was reported")
      }
      try poller.requireQuiet("after reading everything")
      try poller.deregister(ends.near.value)
    }
      + rule("writable", "A stream is reported as writable when and only when there is buffer space.") {
        poller, ends in
        try poller.register(ends.near.value, for: .writable, token: tokenA)
        try poller.requireEvent(tokenA, .writable, "on a new connection")
        // For a while, the peer's kernel may still accept data and thereby free buffer space.
        var taken = try ends.near.fill()
        while try poller.events(within: .milliseconds(20)).contains(where: { $0.isWritable }) {
          taken += try ends.near.fill()
        }
        try poller.requireQuiet("while there is no buffer space")
        let reader = RuleThread { [taken] in _ = try ends.far.readExactly(taken) }
        try poller.requireEvent(tokenA, .writable, "when there is buffer space again")
        try reader.join()
        guard try ends.near.value.write([1].span) != nil else {
          throw ConformanceFailure("a write would block although writable was reported")
        }
      }
      + rule("end.close", "The peer's close is reported, and a read then returns the end of the stream.") {
        poller, ends in
        try poller.register(ends.near.value, for: .readable, token: tokenA)
        try ends.far.writeAll([9])
        try poller.requireEvent(tokenA, .readable, "for the data")
        ends.far.close()
        try requireEqual(try ends.near.readOnce().bytes, [9], "the last byte")
        try poller.requireEvent(tokenA, .readable, "for the end")
        try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "the read after the report")
      }
      + rule(
        "end.half-close", needs: .halfClose,
        "The peer's shutdown of writing is reported, and writing to the peer remains possible."
      ) {
        poller, ends in
        try poller.register(ends.near.value, for: [.readable, .readClosed], token: tokenA)
        try ends.far.value.shutdown(.write)
        let readiness = try poller.requireEvent(tokenA, [.readable, .readClosed], "for the end")
        try require(!readiness.contains(.hangUp), "a hang-up was reported although one direction is still open")
        try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "the read after the report")
        try poller.modify(ends.near.value, for: .writable, token: tokenB)
        try poller.requireEvent(tokenB, .writable, "for writing")
        try ends.near.writeAll([4])
        try requireEqual(try ends.far.readExactly(1), [4], "the byte in the direction that is open")
      }
      + rule(
        "end.idle",
        "A deregistered stream whose peer has closed does not end waits, before or after its descriptor closes."
      ) {
        poller, ends in
        try poller.register(ends.near.value, for: .readable, token: tokenA)
        ends.far.close()
        try poller.requireEvent(tokenA, .readable, "for the end")
        try poller.deregister(ends.near.value)
        try poller.requireQuiet(for: .milliseconds(100), "after deregistering")
        ends.near.close()
        try poller.requireQuiet("after closing")
      }
      + rule(
        "edge", "With edge triggering, all data is received if every event is followed by reads until one would block."
      ) {
        poller, ends in
        guard poller.capabilities.contains(.edge) else { return }
        try poller.register(ends.near.value, for: .readable, trigger: .edge, token: tokenA)
        try receiveAll(&poller, ends, again: nil)
      }
      + rule("one-shot", "With one-shot events, all data is received if every event is followed by a call of `modify`.")
    { poller, ends in
      guard poller.capabilities.contains(.oneShot) else { return }
      try poller.register(ends.near.value, for: .readable, trigger: .oneShot, token: tokenA)
      try receiveAll(&poller, ends, again: .oneShot)
    }
      + rule("level", "With level triggering, all data is received even if each event is followed by a single read.") {
        poller, ends in
        try poller.register(ends.near.value, for: .readable, token: tokenA)
        try receiveAll(&poller, ends, again: nil, once: true)
      }
      + rule(
        "sources.read",
        "If a loop watches the sources of `sources(for:)`, a read that must write first continues when it can write."
      ) { poller, ends in try receiveBesideAFullDirection(&poller, ends) }
  }

  /// Receives all bytes and compares them with the sent bytes. With `once`, the function makes only one read call after
  /// each event, for at most a quarter of the bytes of one write. With a poller that reports each change only once,
  /// these calls do not receive all bytes, and the function fails.
  private func receiveAll(_ poller: inout P, _ ends: Ends<S>, again: Trigger?, once: Bool = false) throws {
    var random = SeededRandom(seed: 9)
    let sent = random.bytes(400_000)
    let writer = RuleThread {
      for offset in stride(from: 0, to: sent.count, by: 4000) {
        try ends.far.writeAll(Array(sent[offset..<offset + 4000]))
        if offset % 40_000 == 0 { pause(.microseconds(300)) }
      }
    }
    var seen: [UInt8] = []
    while seen.count < sent.count {
      if !ends.near.value.pending.contains(.readable) {
        let events = try poller.events(within: Times.patience)
        try require(!events.isEmpty, "no event after \(seen.count) of \(sent.count) bytes")
      }
      while case let (outcome, bytes) = try ends.near.readOnce(once ? 1000 : 8192), outcome != nil {
        try require(outcome != .endOfStream, "the end of the stream was reported after \(seen.count) bytes")
        seen += bytes
        if once { break }
      }
      if let again { try poller.modify(ends.near.value, for: .readable, trigger: again, token: tokenA) }
    }
    try writer.join()
    try requireSameBytes(seen, sent, "the bytes received")
  }

  /// Reads all bytes from a peer while the buffers in the direction to the peer are full, because the peer does not
  /// read at first.
  private func receiveBesideAFullDirection(_ poller: inout P, _ ends: Ends<S>) throws {
    let taken = try ends.near.fillCompletely()
    var random = SeededRandom(seed: 34)
    let sent = random.bytes(512 << 10)
    let progress = Counter()
    let peer = RuleThread {
      let drain = RuleThread {
        progress.awaitStandstill(upTo: sent.count)
        _ = try ends.far.readExactly(taken)
      }
      try ends.far.writeAll(sent)
      try drain.join()
    }
    try poller.register(ends.near.value, for: .readable, token: tokenA)
    var watched = ends.near.value.sources(for: .readable)
    var seen: [UInt8] = []
    while seen.count < sent.count {
      if !ends.near.value.pending.contains(.readable) {
        let events = try poller.events(within: Times.patience)
        try require(!events.isEmpty, "no event after \(seen.count) of \(sent.count) bytes")
      }
      let (outcome, bytes) = try ends.near.readOnce(8192)
      try require(outcome != .endOfStream, "the end of the stream was reported after \(seen.count) bytes")
      seen += bytes
      progress.increment(by: bytes.count)
      let needed = ends.near.value.sources(for: .readable)
      if needed != watched { try poller.modify(ends.near.value, for: .readable, token: tokenA) }
      watched = needed
    }
    try peer.join()
    try requireSameBytes(seen, sent, "the bytes received")
    // After the data, the socket may still contain messages of the wrapper's protocol that carry no data. This read
    // consumes them.
    try requireEqual(try ends.near.readOnce().outcome, nil, "a read after the last byte")
    try poller.modify(ends.near.value, for: .readable, token: tokenA)
    try poller.requireQuiet("after reading everything")
  }
}
