internal import SocketKitCore

let tokenA = Token(index: 1, generation: 7)
let tokenB = Token(index: 2, generation: 0x7fff_ffff)

extension PollerSuite where P: ~Copyable {
  var reportingRules: [ConformanceRule] {
    rule("level.repeats", "Every wait reports a source while the source is ready, and no wait reports it afterwards.") {
      poller in
      let wire = try Wire()
      defer { wire.close() }
      try poller.register(wire.near, for: .readable, token: tokenA)
      try poller.requireQuiet("before anything was ready")
      wire.ring()
      wire.ring()
      for _ in 0..<3 { try poller.requireEvent(tokenA, .readable, "while data is available") }
      wire.takeOne()
      try poller.requireEvent(tokenA, .readable, "after reading some of the data")
      wire.drain()
      try poller.requireQuiet("after reading everything")
      wire.ring()
      try poller.requireEvent(tokenA, .readable, "when ready again")
    }
      + rule("report.during-wait", "A source that becomes ready during a wait ends the wait immediately.") { poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        let parks = poller.capabilities.contains(.parks)
        let helper = RuleThread { () -> ContinuousClock.Instant in
          awaitSleep(if: parks)
          wire.ring()
          return .now
        }
        let events = try poller.events(within: Times.patience)
        let late = ContinuousClock.now - (try helper.join())
        try requireEqual(events.map(\.token), [tokenA], "the reported tokens")
        try require(late < Times.prompt, "the source was reported \(late) after it became ready")
      }
      + rule("report.never-deadline", "A wait without a deadline ends when a source is ready.") { poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        let parks = poller.capabilities.contains(.parks)
        let helper = RuleThread {
          awaitSleep(if: parks)
          wire.ring()
        }
        try requireEqual(try poller.wait(until: .never), 1, "the number of events")
        try helper.join()
      }
      + rule("report.token", "Events contain the token of the registration unchanged, with all 63 bits.") { poller in
        for token in [Token(rawValue: 0), Token(rawValue: 1), Token(rawValue: (1 << 63) - 1), tokenB] {
          let wire = try Wire()
          defer { wire.close() }
          try poller.register(wire.near, for: .readable, token: token)
          wire.ring()
          try poller.requireEvent(token, .readable, "with \(token)")
          try poller.deregister(source: wire.near)
        }
      }
      + rule("report.writable", "Writability is reported only if the interest includes it and there is buffer space.") {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try poller.requireQuiet("although the interest includes only reading")
        wire.ring()
        let readiness = try poller.requireEvent(tokenA, .readable, "for reading")
        try require(!readiness.contains(.writable), "writable was reported although the interest includes only reading")
        try poller.modify(wire.near, for: [.readable, .writable], token: tokenA)
        try poller.requireEvent(tokenA, [.readable, .writable], "for both")
        wire.drain()
        try poller.modify(wire.near, for: .writable, token: tokenA)
        for _ in 0..<3 {
          let writable = try poller.requireEvent(tokenA, .writable, "for writing, with free buffer space")
          try require(
            !writable.contains(.readable), "readable was reported although the interest includes only writing")
        }
        wire.fill()
        try poller.requireQuiet("although there is no buffer space")
        wire.drainFar()
        try poller.requireEvent(tokenA, .writable, "when there is buffer space again")
      }
      + rule(
        "report.hang-up",
        "After the peer closes, the source is reported as readable, and as a hang-up for every interest."
      ) {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        wire.closeFar()
        try poller.requireEvent(tokenA, [.readable, .hangUp], "after the peer closed")
        try poller.modify(wire.near, for: .writable, token: tokenA)
        try poller.requireEvent(tokenA, .hangUp, "with an interest in writing only")
      }
      + rule("report.read-closed", "The peer's shutdown of writing is reported if the interest includes `.readClosed`.")
    { poller in
      let wire = try Wire()
      defer { wire.close() }
      try poller.register(wire.near, for: .readClosed, token: tokenA)
      wire.ring()
      try poller.requireQuiet("although the interest includes only the end")
      wire.endFarWriting()
      try poller.requireEvent(tokenA, .readClosed, "after the peer's shutdown of writing")
    }
      + rule(
        "report.two-sources", "Two descriptors of one socket can be registered separately, one for each direction."
      ) {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        let writing = try wire.duplicateNear()
        try poller.register(wire.near, for: .readable, token: tokenA)
        try poller.register(writing.raw, for: .writable, token: tokenB)
        try poller.requireEvent(tokenB, .writable, "for writing")
        wire.fill()
        try poller.requireQuiet("although neither direction is ready")
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "for reading")
        try poller.deregister(source: wire.near)
        wire.drainFar()
        try poller.requireEvent(tokenB, .writable, "for writing only")
        try poller.deregister(source: writing.raw)
        try poller.requireQuiet("after both were deregistered")
      }
      + rule("report.nothing-lost", "Readiness caused by four other threads is reported each of 1000 times.") {
        poller in
        try countRings(&poller, [])
      }
      + rule("report.same-for-two-pollers", "If two pollers watch the same descriptor, both report it.") { poller in
        var second = try makePoller(P.self, configuration)
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try second.register(wire.near, for: .readable, token: tokenB)
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "in the first poller")
        try second.requireEvent(tokenB, .readable, "in the second poller")
      }
  }

  /// Sends bytes from four threads. Each thread sends a byte only after its previous byte was received, so the poller
  /// must report every byte.
  func countRings(_ poller: inout P, _ trigger: Trigger) throws {
    let wires = try (0..<8).map { _ in try Wire() }
    defer { for wire in wires { wire.close() } }
    for (index, wire) in wires.enumerated() {
      try poller.register(
        source: wire.near, for: .readable, trigger: trigger, token: Token(index: UInt32(index)))
    }
    let taken = (0..<4).map { _ in Counter() }
    let ringers = taken.indices.map { number in
      RuleThread {
        for ring in 0..<250 {
          wires[2 * number + ring % 2].ring()
          if !taken[number].awaitMore(than: ring) { return }
        }
      }
    }
    var seen = 0
    while seen < 1000 {
      let events = try poller.events(within: Times.patience)
      try require(!events.isEmpty, "only \(seen) of 1000 bytes were reported")
      for event in events {
        let wire = wires[Int(event.token.index)]
        let count = wire.drain()
        seen += count
        taken[Int(event.token.index) / 2].increment(by: count)
        if trigger.contains(.oneShot) {
          try poller.modify(source: wire.near, for: .readable, trigger: trigger, token: event.token)
        }
      }
    }
    for ringer in ringers { try ringer.join() }
    try requireEqual(seen, 1000, "the number of received bytes")
  }
}
