internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var deadlineRules: [ConformanceRule] {
    rule("deadline.kept", "If no source is ready, a wait ends at its deadline, not earlier and not much later.") {
      poller in
      let wire = try Wire()
      defer { wire.close() }
      try poller.register(wire.near, for: .readable, token: tokenA)
      for milliseconds in [1, 3, 10, 40] {
        let watch = Stopwatch()
        let deadline = Deadline.after(.milliseconds(milliseconds))
        try requireEqual(try poller.wait(until: deadline), 0, "the number of events")
        try require(deadline.hasPassed, "a wait of \(milliseconds) ms ended before its deadline")
        try watch.require(from: .milliseconds(milliseconds), "the wait")
      }
    }
      + rule("deadline.past", "A wait whose deadline has passed does not wait and still reports ready sources.") {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        let watch = Stopwatch()
        for deadline in [Deadline.past, .now, .after(.seconds(-1))] {
          for _ in 0..<100 { try requireEqual(try poller.wait(until: deadline), 0, "the number of events") }
        }
        try watch.requirePrompt("three hundred waits")
        wire.ring()
        for deadline in [Deadline.past, .now, .after(.seconds(-1))] {
          try requireEqual(try poller.wait(until: deadline), 1, "the number of events of a ready source")
        }
      }
      + rule("deadline.distant", "A wait whose deadline is hours, weeks or years away waits until an event occurs.") {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        // In order, these times exceed the ranges of microseconds in 32 bits, of milliseconds in 31 bits, of
        // milliseconds in 32 bits, and of nanoseconds in 63 bits.
        let times: [Duration] = [.seconds(7200), .seconds(25 * 86_400), .seconds(50 * 86_400), .seconds(1 << 40)]
        let parks = poller.capabilities.contains(.parks)
        for time in times {
          let watch = Stopwatch()
          let helper = RuleThread {
            awaitSleep(if: parks)
            wire.ring()
          }
          try requireEqual(try poller.wait(until: .after(time)), 1, "the number of events of a wait for \(time)")
          try watch.require(from: .milliseconds(5), "the wait for \(time)")
          try helper.join()
          wire.drain()
        }
      }
      + rule(
        "deadline.precise",
        "If the poller has the capability `.precise`, a wait of 200 µs ends in less than a millisecond."
      ) {
        poller in
        guard poller.capabilities.contains(.precise) else { return }
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        // On a busy host, some of the waits may be late, but not all of them.
        var best = Duration.seconds(1)
        var waits = 0
        let whole = Stopwatch()
        while waits < 40 || best >= .microseconds(900) && whole.elapsed < Times.patience {
          let watch = Stopwatch()
          let deadline = Deadline.after(.microseconds(200))
          _ = try poller.wait(until: deadline)
          try require(deadline.hasPassed, "a wait of 200 µs ended before its deadline")
          best = min(best, watch.elapsed)
          waits += 1
        }
        try require(best < .microseconds(900), "the shortest of \(waits) waits of 200 µs took \(best)")
      }
      + rule(
        "signal.waits-on", "A signal handler that runs during a wait neither ends the wait nor changes its deadline."
      ) { poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try SignalWatch.interrupting(times: 5, during: Times.short) { time in
          try poller.requireQuiet(for: time, "during signals")
        }
      }
      + rule("signal.event", "If a wait was interrupted by signals, a later event still ends the wait.") { poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try SignalWatch.interrupting(times: 4, then: { wire.ring() }) {
          try requireEqual(try poller.wait(until: .after(Times.patience)), 1, "the number of events")
        }
      }
  }

  var idleRules: [ConformanceRule] {
    rule(
      "idle.sleeps",
      "With 100 idle sources, nothing is reported for 200 ms, and a poller that sleeps uses almost no processor time."
    ) {
      poller in
      let wires = try (0..<100).map { _ in try Wire() }
      defer { for wire in wires { wire.close() } }
      for (index, wire) in wires.enumerated() {
        try poller.register(wire.near, for: .readable, token: Token(index: UInt32(index)))
      }
      try requireSleep(&poller, "with 100 idle registrations")
    }
      + rule(
        "idle.closed-peer",
        "A deregistered source whose peer has closed does not end waits or use processor time for 200 ms."
      ) {
        poller in
        let wire = try Wire()
        let other = try Wire()
        defer {
          wire.close()
          other.close()
        }
        try poller.register(other.near, for: .readable, token: tokenB)
        try poller.register(wire.near, for: .readable, token: tokenA)
        wire.closeFar()
        try poller.requireEvent(tokenA, .hangUp, "after the peer closed")
        try poller.deregister(source: wire.near)
        try requireSleep(&poller, "after a closed peer was deregistered")
      }
      + rule("idle.end-read", "A paused source whose peer has shut down writing does not end waits for 200 ms.") {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        wire.endFarWriting()
        try poller.requireEvent(tokenA, .readable, "for the end")
        try poller.modify(wire.near, for: [], token: tokenA)
        try requireSleep(&poller, "after the source was paused")
      }
  }

  private func requireSleep(_ poller: inout P, _ when: String) throws {
    let before = ThreadTimes()
    try poller.requireQuiet(for: .milliseconds(200), when)
    let used = ThreadTimes() - before
    if poller.capabilities.contains(.parks) {
      try require(
        used.processor < .milliseconds(50), "the wait used \(used.processor) of processor time in 200 ms \(when)")
      try require(
        !used.isSpinning(for: .milliseconds(200)),
        "the thread was runnable for \(used.runnable) of 200 ms \(when)")
    }
  }
}
