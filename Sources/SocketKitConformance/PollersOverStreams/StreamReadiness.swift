internal import SocketKitCore

extension PollerOverStreamSuite where P: ~Copyable, S: ~Copyable {
  var readinessRules: [ConformanceRule] {
    rule("readable", "Data is reported as long as some is left to read, and then no more.") { poller, ends in
      try poller.register(ends.near.value, for: .readable, token: tokenA)
      try poller.requireQuiet("before anything was sent")
      try ends.far.writeAll([1, 2, 3, 4])
      for byte in 1...4 as ClosedRange<UInt8> {
        // A poller does not report what the socket holds.
        if !ends.near.value.pending.contains(.readable) {
          try poller.requireEvent(tokenA, .readable, "with byte \(byte) to read")
        }
        try requireEqual(try ends.near.readOnce(1).bytes, [byte], "a byte that was reported")
      }
      try poller.requireQuiet("after reading everything")
      try poller.deregister(ends.near.value)
    }
      + rule("writable", "Room to write is reported when asked for, not while there is none, and again when there is.")
    {
      poller, ends in
      try poller.register(ends.near.value, for: .writable, token: tokenA)
      try poller.requireEvent(tokenA, .writable, "on a fresh connection")
      // The peer's kernel may still accept data and thereby free buffer space for a while.
      var taken = try ends.near.fill()
      while try poller.events(within: .milliseconds(20)).contains(where: { $0.isWritable }) {
        taken += try ends.near.fill()
      }
      try poller.requireQuiet("while there is no room")
      let reader = RuleThread { [taken] in _ = try ends.far.readExactly(taken) }
      try poller.requireEvent(tokenA, .writable, "when there is room again")
      try reader.join()
      guard try ends.near.value.write([1].span) != nil else {
        throw ConformanceFailure("a write would block although room was reported")
      }
    }
      + rule("end.close", "A peer's close is reported, and the read then gives the end.") { poller, ends in
        try poller.register(ends.near.value, for: .readable, token: tokenA)
        try ends.far.writeAll([9])
        try poller.requireEvent(tokenA, .readable, "for the data")
        ends.far.close()
        try requireEqual(try ends.near.readOnce().bytes, [9], "the last byte")
        try poller.requireEvent(tokenA, .readable, "for the end")
        try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "what was reported")
      }
      + rule("end.half-close", needs: .halfClose, "A peer's end of writing is reported, and writing stays possible.") {
        poller, ends in
        try poller.register(ends.near.value, for: [.readable, .readClosed], token: tokenA)
        try ends.far.value.shutdown(.write)
        let readiness = try poller.requireEvent(tokenA, [.readable, .readClosed], "for the end")
        try require(!readiness.contains(.hangUp), "a hang-up was reported although one direction is open")
        try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "what was reported")
        try poller.modify(ends.near.value, for: .writable, token: tokenB)
        try poller.requireEvent(tokenB, .writable, "for writing")
        try ends.near.writeAll([4])
        try requireEqual(try ends.far.readExactly(1), [4], "the direction that is open")
      }
      + rule("end.idle", "A closed peer that was deregistered wakes nobody, and its descriptor closes in peace.") {
        poller, ends in
        try poller.register(ends.near.value, for: .readable, token: tokenA)
        ends.far.close()
        try poller.requireEvent(tokenA, .readable, "for the end")
        try poller.deregister(ends.near.value)
        try poller.requireQuiet(for: .milliseconds(100), "after deregistering")
        ends.near.close()
        try poller.requireQuiet("after closing")
      }
      + rule("edge", "Edge-triggered, everything is received when each event is read until it would block.") {
        poller, ends in
        guard poller.capabilities.contains(.edge) else { return }
        try poller.register(ends.near.value, for: .readable, trigger: .edge, token: tokenA)
        try receiveAll(&poller, ends, again: nil)
      }
      + rule("one-shot", "One-shot, everything is received when each event is followed by a modify.") { poller, ends in
        guard poller.capabilities.contains(.oneShot) else { return }
        try poller.register(ends.near.value, for: .readable, trigger: .oneShot, token: tokenA)
        try receiveAll(&poller, ends, again: .oneShot)
      }
      + rule("level", "Level-triggered, everything is received when each event is read but once.") { poller, ends in
        try poller.register(ends.near.value, for: .readable, token: tokenA)
        try receiveAll(&poller, ends, again: nil, once: true)
      }
      + rule(
        "sources.read",
        "A loop that watches what `sources(for:)` names reads on when a read that needs room to write gets it."
      ) { poller, ends in try receiveBesideAFullDirection(&poller, ends) }
  }

  /// Receives everything and compares it with what was sent. With `once`, each event is followed by a single read of a
  /// quarter of the bytes written at a time; a poller that reports each change only once does not deliver all of them.
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
        try require(outcome != .endOfStream, "an end after \(seen.count) bytes")
        seen += bytes
        if once { break }
      }
      if let again { try poller.modify(ends.near.value, for: .readable, trigger: again, token: tokenA) }
    }
    try writer.join()
    try requireSameBytes(seen, sent, "received")
  }

  /// Reads everything from a peer that at first does not read, while the direction to it is full.
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
      try require(outcome != .endOfStream, "an end after \(seen.count) bytes")
      seen += bytes
      progress.increment(by: bytes.count)
      let needed = ends.near.value.sources(for: .readable)
      if needed != watched { try poller.modify(ends.near.value, for: .readable, token: tokenA) }
      watched = needed
    }
    try peer.join()
    try requireSameBytes(seen, sent, "received")
    // What the peer sent without data is still there.
    try requireEqual(try ends.near.readOnce().outcome, nil, "a read after the last byte")
    try poller.modify(ends.near.value, for: .readable, token: tokenA)
    try poller.requireQuiet("after reading everything")
  }
}
