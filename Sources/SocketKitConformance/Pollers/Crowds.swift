internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var crowdRules: [ConformanceRule] {
    rule(
      "crowd.many-ready", "If 300 sources are ready at the same time, exactly these sources are reported."
    ) {
      poller in
      try requireAll(&poller, ready: 300)
    }
      + [
        ConformanceRule(
          "poller.crowd.beyond-capacity",
          "If more sources are ready than the poller's capacity, repeated waits report all of them."
        ) {
          var poller = try makePoller(P.self, P.configuration(capacity: 4))
          try requireAll(&poller, ready: 64)
        }
      ]
      + rule("crowd.one-of-many", "If one of 200 sources is ready, only that source is reported.") { poller in
        let wires = try (0..<200).map { _ in try Wire() }
        defer { for wire in wires { wire.close() } }
        for (index, wire) in wires.enumerated() {
          try poller.register(wire.near, for: .readable, token: Token(index: UInt32(index)))
        }
        for index in [0, 77, 199] {
          wires[index].ring()
          try poller.requireEvent(Token(index: UInt32(index)), .readable, "of source \(index)")
          wires[index].drain()
        }
        for wire in wires { try poller.deregister(source: wire.near) }
        for wire in wires { wire.ring() }
        try poller.requireQuiet("after all were deregistered")
      }
      + rule(
        "crowd.changes-in-batch",
        "Registering and deregistering sources does not change the events that the last wait returned."
      ) {
        poller in
        let wires = try (0..<12).map { _ in try Wire() }
        defer { for wire in wires { wire.close() } }
        for index in 0..<6 {
          try poller.register(wires[index].near, for: .readable, token: Token(index: UInt32(index)))
        }
        for wire in wires { wire.ring() }
        var count = 0
        let deadline = Deadline.after(Times.patience)
        while count < 6 && !deadline.hasPassed { count = try poller.wait(until: deadline) }
        try requireEqual(count, 6, "the number of events of six ready sources in one wait")
        let before = (0..<count).map { poller[event: $0] }
        for index in 0..<6 {
          try requireEqual(poller[event: index], before[index], "event \(index) after changes")
          // Deregister the sources with odd numbers, and register a new source for each event.
          let token = before[index].token
          if token.index % 2 == 1 { try poller.deregister(source: wires[Int(token.index)].near) }
          try poller.register(wires[6 + index].near, for: .readable, token: Token(index: UInt32(6 + index)))
        }
        var seen: Set<UInt32> = []
        while seen.count < 9 && !deadline.hasPassed {
          for event in try poller.events(within: Times.patience) { seen.insert(event.token.index) }
        }
        try requireEqual(seen.sorted(), [0, 2, 4, 6, 7, 8, 9, 10, 11], "the sources reported afterwards")
        let late = Set(try poller.events(within: Times.patience).map(\.token.index)).intersection([1, 3, 5])
        try require(late.isEmpty, "deregistered sources were reported: \(late)")
      }
      + rule(
        "crowd.churn",
        "After each of 1000 registrations and deregistrations, exactly the registered sources are reported."
      ) { poller in
        let wires = try (0..<16).map { _ in try Wire() }
        defer { for wire in wires { wire.close() } }
        var random = SeededRandom(seed: 8)
        var registered = [Bool](repeating: false, count: wires.count)
        for wire in wires { wire.ring() }
        for _ in 0..<1000 {
          let index = Int.random(in: 0..<wires.count, using: &random)
          if registered[index] {
            try poller.deregister(source: wires[index].near)
          } else {
            try poller.register(wires[index].near, for: .readable, token: Token(index: UInt32(index)))
          }
          registered[index].toggle()
          let seen = try poller.events(within: .zero).map { Int($0.token.index) }
          let wanted = registered.indices.filter { registered[$0] }
          try requireEqual(seen.sorted(), wanted, "the reported sources")
        }
      }
  }
}

private func requireAll<P: Poller & ~Copyable>(_ poller: inout P, ready: Int) throws {
  let wires = try (0..<ready + 20).map { _ in try Wire() }
  defer { for wire in wires { wire.close() } }
  for (index, wire) in wires.enumerated() {
    try poller.register(wire.near, for: .readable, token: Token(index: UInt32(index)))
    if index < ready { wire.ring() }
  }
  // Do not read from the sources, so that they stay ready. In that case, a poller that always starts with the same
  // sources never reports the others, and therefore breaks the rule.
  var seen: Set<UInt32> = []
  let deadline = Deadline.after(Times.patience)
  while seen.count < ready && !deadline.hasPassed {
    for event in try poller.events(within: Times.patience) { seen.insert(event.token.index) }
  }
  try requireEqual(seen.sorted(), (0..<UInt32(ready)).map { $0 }, "the reported sources")
}
