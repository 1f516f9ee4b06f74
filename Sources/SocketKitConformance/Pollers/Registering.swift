internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var registrationRules: [ConformanceRule] {
    rule("deregister.silent", "A deregistered source is not reported any more.") { poller in
      let wire = try Wire()
      let other = try Wire()
      defer {
        wire.close()
        other.close()
      }
      try poller.register(wire.near, for: .readable, token: tokenA)
      try poller.register(other.near, for: .readable, token: tokenB)
      wire.ring()
      try poller.requireEvent(tokenA, .readable, "before deregistering")
      try poller.deregister(source: wire.near)
      try poller.requireQuiet("after deregistering")
      wire.ring()
      wire.closeFar()
      try poller.requireQuiet("after the peer of a deregistered source closed")
      other.ring()
      try poller.requireEvent(tokenB, .readable, "of the other source")
    }
      + [
        ConformanceRule(
          "poller.deregister.backlog",
          "A source that is deregistered after it became ready, but before it was reported, is not reported."
        ) {
          var poller = try makePoller(P.self, P.configuration(capacity: 4))
          let wires = try (0..<12).map { _ in try Wire() }
          defer { for wire in wires { wire.close() } }
          for (index, wire) in wires.enumerated() {
            try poller.register(wire.near, for: .readable, token: Token(index: UInt32(index)))
            wire.ring()
          }
          let reported = try poller.events(within: Times.patience).map { Int($0.token.index) }
          try require(!reported.isEmpty, "none of twelve ready sources was reported")
          let gone = Set(wires.indices).subtracting(reported)
          for index in gone { try poller.deregister(source: wires[index].near) }
          for index in reported { wires[index].drain() }
          let late = try poller.allEvents(for: Times.quiet).map { Int($0.token.index) }
          try require(late.isEmpty, "deregistered or emptied sources were reported: \(late)")
        }
      ]
      + rule("register.again", "A deregistered source can be registered again with a different token.") { poller in
        let wire = try Wire()
        defer { wire.close() }
        for token in [tokenA, tokenB, tokenA] {
          try poller.register(wire.near, for: .readable, token: token)
          wire.ring()
          try poller.requireEvent(token, .readable, "with \(token)")
          try poller.deregister(source: wire.near)
        }
      }
      + rule("modify.acts", "Modifying changes the interest and the token of a source that is already ready.") {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "before")
        try poller.modify(wire.near, for: .readable, token: tokenB)
        try poller.requireEvent(tokenB, .readable, "with the new token")
        try poller.modify(wire.near, for: .writable, token: tokenA)
        let readiness = try poller.requireEvent(tokenA, .writable, "with the new interest")
        try require(!readiness.contains(.readable), "the old interest was reported after modifying")
      }
      + rule(
        "register.twice",
        "Registering a source twice fails with `.alreadyRegistered` and does not change the first registration."
      ) {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try requireError(.alreadyRegistered, in: "registering twice") {
          try poller.register(wire.near, for: .writable, token: tokenB)
        }
        try poller.requireQuiet("for the second registration")
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "of the first registration")
      }
      + rule(
        "modify.unknown", "Modifying a source that is not registered fails with `.notRegistered` and registers nothing."
      ) {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        wire.ring()
        for _ in 0..<2 {
          try requireError(.notRegistered, in: "modifying") {
            try poller.modify(wire.near, for: .readable, token: tokenA)
          }
        }
        try poller.requireQuiet("of a source that is not registered")
      }
      + rule("deregister.unknown", "Deregistering a source that is not registered fails with `.notRegistered`.") {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try requireError(.notRegistered, in: "deregistering") { try poller.deregister(source: wire.near) }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try poller.deregister(source: wire.near)
        try requireError(.notRegistered, in: "deregistering twice") { try poller.deregister(source: wire.near) }
      }
      + rule("register.closed", "Registering a descriptor that is not open fails with `.closed`.") { poller in
        let wire = try Wire()
        let number = wire.near
        wire.close()
        try requireError(.closed, in: "registering") {
          try poller.register(number, for: .readable, token: tokenA)
        }
        try requireError(.closed, in: "registering -1") {
          try poller.register(RawDescriptor(-1), for: .readable, token: tokenA)
        }
        try poller.requireQuiet("of a descriptor that was never open")
      }
      + rule(
        "interest.empty",
        "A source with an empty interest is not reported; after a new interest is set, its readiness is reported."
      ) {
        poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: [], token: tokenA)
        wire.ring()
        try poller.requireQuiet("although the interest is empty")
        try poller.modify(wire.near, for: .readable, token: tokenA)
        try poller.requireEvent(tokenA, .readable, "after resuming")
        try poller.modify(wire.near, for: [], token: tokenA)
        wire.ring()
        try poller.requireQuiet("after pausing")
        try poller.modify(wire.near, for: .readable, token: tokenB)
        try poller.requireEvent(tokenB, .readable, "after resuming again")
      }
      + rule("interest.empty-hang-up", "A hang-up of a paused source is reported at most once.") { poller in
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try poller.modify(wire.near, for: [], token: tokenA)
        wire.closeFar()
        let events = try poller.allEvents(for: .milliseconds(60))
        try require(events.count <= 1, "\(events.count) events of a paused source")
        try poller.modify(wire.near, for: .readable, token: tokenA)
        try poller.requireEvent(tokenA, .readable, "after resuming")
        try poller.deregister(source: wire.near)
      }
  }
}
