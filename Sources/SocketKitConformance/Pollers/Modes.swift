internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var modeRules: [ConformanceRule] {
    rule(
      "mode.lacking",
      "Registering with a mode that the poller does not support fails with `.notSupported` and registers nothing."
    ) { poller in
      let wire = try Wire()
      defer { wire.close() }
      let modes: [(PollerCapabilities, Trigger)] = [(.edge, .edge), (.oneShot, .oneShot), (.exclusive, .exclusive)]
      for (capability, mode) in modes where !poller.capabilities.contains(capability) {
        try requireError(.notSupported, in: "registering") {
          try poller.register(source: wire.near, for: .readable, trigger: mode, token: tokenA)
        }
        try requireError(.notRegistered, in: "deregistering a source whose registration failed") {
          try poller.deregister(source: wire.near)
        }
      }
    }
      + rule(
        "mode.together",
        "Registering or modifying with an unsupported combination of modes fails with `.notSupported`, without effect."
      ) { poller in
        let wire = try Wire()
        defer { wire.close() }
        let modes: [Trigger] = [
          [], .edge, .oneShot, .exclusive, [.edge, .oneShot], [.edge, .exclusive],
          [.oneShot, .exclusive], [.edge, .oneShot, .exclusive],
        ]
        for first in modes {
          guard try poller.takes(wire.near, first) else {
            try requireError(.notRegistered, in: "deregistering a source whose registration failed") {
              try poller.deregister(source: wire.near)
            }
            continue
          }
          for second in modes {
            do throws(SocketError) {
              try poller.modify(source: wire.near, for: .readable, trigger: second, token: tokenA)
            } catch {
              try requireEqual(error.code, .notSupported, "the error of a change from \(first) to \(second)")
            }
          }
          try poller.deregister(source: wire.near)
        }
      }
      + rule("one-shot.once", "A one-shot registration is reported once, and again only after it is modified.") {
        poller in
        guard poller.capabilities.contains(.oneShot) else { return }
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(source: wire.near, for: .readable, trigger: .oneShot, token: tokenA)
        try poller.requireQuiet("before anything was ready")
        for token in [tokenA, tokenB] {
          wire.ring()
          try poller.requireEvent(token, .readable, "of a one-shot registration")
          try poller.requireQuiet("after the event of a one-shot registration")
          wire.ring()
          try poller.requireQuiet("after the event of a one-shot registration, with more data")
          try poller.modify(source: wire.near, for: .readable, trigger: .oneShot, token: tokenB)
        }
        try poller.requireEvent(tokenB, .readable, "after modifying")
        wire.closeFar()
        try poller.requireQuiet("after the event of a one-shot registration, with a closed peer")
        try requireError(.alreadyRegistered, in: "registering a source whose one-shot event was reported") {
          try poller.register(wire.near, for: .readable, token: tokenA)
        }
        try poller.deregister(source: wire.near)
      }
      + rule("one-shot.nothing-lost", "If one-shot registrations are modified after each event, no data is missed.") {
        poller in
        guard poller.capabilities.contains(.oneShot) else { return }
        try countRings(&poller, .oneShot)
      }
      + rule("edge.once", "An edge-triggered source is reported once for each change.") { poller in
        guard poller.capabilities.contains(.edge) else { return }
        let wire = try Wire()
        defer { wire.close() }
        wire.ring()
        try poller.register(source: wire.near, for: .readable, trigger: .edge, token: tokenA)
        try poller.requireEvent(tokenA, .readable, "for data that arrived before registering")
        try poller.requireQuiet("without a change")
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "for new data")
        wire.drain()
        try poller.requireQuiet("after reading")
        wire.closeFar()
        try poller.requireEvent(tokenA, .hangUp, "for the peer's close")
        try poller.requireQuiet("after the peer's close")
      }
      + rule("edge.nothing-lost", "If edge-triggered sources are read until a read would block, no data is missed.") {
        poller in
        guard poller.capabilities.contains(.edge) else { return }
        try countRings(&poller, .edge)
      }
      + rule("edge.rearm", "After an edge-triggered source is modified, its current readiness is reported again.") {
        poller in
        guard poller.capabilities.contains(.edge) else { return }
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(source: wire.near, for: .readable, trigger: .edge, token: tokenA)
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "first")
        try poller.modify(source: wire.near, for: .readable, trigger: .edge, token: tokenB)
        try poller.requireEvent(tokenB, .readable, "after modifying")
        try poller.requireQuiet("after modifying, without a change")
      }
      + rule("exclusive.reports", "If two pollers watch a source with `.exclusive`, at least one of them reports it.") {
        poller in
        guard poller.capabilities.contains(.exclusive) else { return }
        var second = try makePoller(P.self, configuration)
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(source: wire.near, for: .readable, trigger: .exclusive, token: tokenA)
        try second.register(source: wire.near, for: .readable, trigger: .exclusive, token: tokenB)
        wire.ring()
        let first = try poller.events(within: Times.quiet)
        let events = first + (try second.events(within: first.isEmpty ? Times.patience : .zero))
        try require(!events.isEmpty, "neither poller reported the source")
        try poller.deregister(source: wire.near)
        try second.deregister(source: wire.near)
      }
      + rule(
        "exclusive.few", strength: .stochastic,
        "If four pollers wait with `.exclusive`, an event wakes at most two of them on average."
      ) {
        poller in
        // A poller that never sleeps checks its sources itself, so this rule does not apply to it.
        guard poller.capabilities.isSuperset(of: [.exclusive, .parks]) else { return }
        let wire = try Wire()
        defer { wire.close() }
        let reports = Counter()
        let rings = 10
        let configuration = configuration
        let waiters = try (0..<4).map { _ in
          let own = Shared(try makePoller(P.self, configuration))
          try own.value.register(source: wire.near, for: .readable, trigger: .exclusive, token: tokenA)
          return own
        }
        for _ in 0..<rings {
          let threads = waiters.map { waiter in
            RuleThread { reports.increment(by: try waiter.value.wait(until: .after(Times.patience / 4))) }
          }
          awaitSleep()
          wire.ring()
          for thread in threads { try thread.join() }
          wire.drain()
        }
        for waiter in waiters { waiter.close() }
        try require(reports.count >= rings, "only \(reports.count) reports of \(rings) events")
        try require(reports.count <= 2 * rings, "four pollers reported \(rings) events \(reports.count) times")
      }
  }
}

extension Poller where Self: ~Copyable {
  /// Registers a source; returns false if the poller does not support the trigger.
  fileprivate mutating func takes(_ source: RawDescriptor, _ trigger: Trigger) throws -> Bool {
    do throws(SocketError) {
      try register(source: source, for: .readable, trigger: trigger, token: tokenA)
      return true
    } catch {
      try requireEqual(error.code, .notSupported, "the error of a registration with \(trigger)")
      return false
    }
  }
}
