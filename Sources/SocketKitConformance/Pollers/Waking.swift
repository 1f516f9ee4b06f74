internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var wakeRules: [ConformanceRule] {
    rule(
      "wake.before-wait",
      "If a wake-up occurs before a wait starts, that wait returns immediately. Later waits are not affected."
    ) { poller in
      try poller.requireQuiet("before a call of `wake`")
      poller.waker.wake()
      try requireWoken(&poller)
      try poller.requireQuiet("after the wake-up was reported")
      poller.waker.wake()
      let past = try poller.wait(until: .past)
      try requireEqual(past, 0, "the number of events of a wait with a past deadline")
      try require(poller.wasWoken, "a wait with a past deadline did not report the wake-up before it")
      try poller.requireQuiet("after a wait with a past deadline reported the wake-up")
    }
      + rule("wake.other-thread", "A wake-up from another thread immediately ends a wait that is in progress.") {
        poller in
        let parks = poller.capabilities.contains(.parks)
        for _ in 0..<3 {
          let waker = poller.waker
          let helper = RuleThread { () -> ContinuousClock.Instant in
            awaitSleep(if: parks)
            waker.wake()
            return .now
          }
          let count = try poller.wait(until: .after(Times.patience))
          let late = ContinuousClock.now - (try helper.join())
          try requireEqual(count, 0, "the number of events of a wait that was woken")
          try require(poller.wasWoken, "the wait ended without the wake-up")
          try require(late < Times.prompt, "the wait ended \(late) after the wake-up")
        }
      }
      + rule("wake.coalesced", "Many wake-ups before a wait end one wait only; the next wait waits and can be woken.") {
        poller in
        for _ in 0..<3 {
          for _ in 0..<1000 { poller.waker.wake() }
          try requireWoken(&poller)
          try poller.requireQuiet("after many wake-ups ended one wait")
        }
      }
      + rule("wake.every-one-before", "None of 10,000 wake-ups is lost if each is called before a wait.") {
        poller in
        let waker = poller.waker
        for call in 0..<10_000 {
          waker.wake()
          _ = try poller.wait(until: .after(Times.patience))
          try require(poller.wasWoken, "wake-up \(call) was lost")
        }
        try poller.requireQuiet("after the last wake-up was reported")
      }
      + rule(
        "wake.every-one",
        "None of 1000 wake-ups from another thread is lost if each is called after the last one was reported."
      ) {
        poller in
        let taken = Counter()
        let waker = poller.waker
        let helper = RuleThread {
          for call in 0..<1000 {
            waker.wake()
            if !taken.awaitMore(than: call) { return }
          }
        }
        for call in 0..<1000 {
          // Delay some calls of `wait`, so that the wake-up precedes the call.
          if call % 4 == 0 { pause(.microseconds(150)) }
          _ = try poller.wait(until: .after(Times.patience))
          try require(poller.wasWoken, "wake-up \(call) was lost")
          taken.increment()
        }
        try helper.join()
        try poller.requireQuiet("after the last wake-up was reported")
      }
      + rule(
        "wake.storm",
        "After four threads have called `wake` many times at the same time, a later wake-up is still reported."
      ) {
        poller in
        let waker = poller.waker
        let running = Counter()
        let threads = (0..<4).map { _ in
          RuleThread {
            for _ in 0..<500 { waker.wake() }
            running.increment()
          }
        }
        while running.count < 4 { _ = try poller.wait(until: .after(.milliseconds(5))) }
        for thread in threads { try thread.join() }
        _ = try poller.wait(until: .past)
        poller.waker.wake()
        try requireWoken(&poller)
      }
      + rule("wake.with-events", "If a wake-up and events occur at the same time, both are reported.") { poller in
        let wires = try (0..<3).map { _ in try Wire() }
        defer { for wire in wires { wire.close() } }
        for (index, wire) in wires.enumerated() {
          try poller.register(wire.near, for: .readable, token: Token(index: UInt32(index)))
        }
        for _ in 0..<20 {
          for wire in wires { wire.ring() }
          poller.waker.wake()
          var seen: Set<UInt32> = []
          var woken = false
          let deadline = Deadline.after(Times.patience)
          while (!woken || seen.count < 3) && !deadline.hasPassed {
            for event in try poller.events(within: Times.patience) {
              seen.insert(event.token.index)
              try require(event.token.index < 3, "an event with a token that was never registered: \(event.token)")
            }
            woken = woken || poller.wasWoken
          }
          try require(woken, "the wake-up was not reported together with events")
          try requireEqual(seen.sorted(), [0, 1, 2], "the sources reported together with a wake-up")
          for wire in wires { wire.drain() }
        }
      }
      + [
        ConformanceRule("poller.wake.after-end", "Calling `wake` after the poller was destroyed has no effect.") {
          [configuration] in
          let waker = try wakerOfDeadPoller(P.self, configuration)
          // If the poller has closed the descriptor that its waker writes to, these sockets reuse the descriptor's
          // number.
          let wires = try (0..<4).map { _ in try Wire() }
          defer { for wire in wires { wire.close() } }
          for _ in 0..<3 { waker.wake() }
          for wire in wires {
            let isQuiet = ![wire.near, wire.far].contains { $0.becomesReadable(within: .zero) }
            try require(isQuiet, "the waker wrote to a descriptor of another socket")
          }
        }
      ]
  }

  private func requireWoken(_ poller: inout P) throws {
    let watch = Stopwatch()
    try requireEqual(try poller.wait(until: .after(Times.patience)), 0, "the number of events of a wait that was woken")
    try require(poller.wasWoken, "the wake-up was lost: the wait ended without it")
    try watch.requirePrompt("the wait")
  }
}

private func wakerOfDeadPoller<P: Poller & ~Copyable>(_ type: P.Type, _ configuration: P.Configuration) throws -> Waker
{
  let poller = try makePoller(P.self, configuration)
  return poller.waker
}
