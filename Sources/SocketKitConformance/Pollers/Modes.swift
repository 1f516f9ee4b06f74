internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var modeRules: [ConformanceRule] {
    rule("mode.lacking", "A mode that the capabilities lack is `.notSupported`, and registers nothing.") { poller in
      let wire = try Wire()
      defer { wire.close() }
      let modes: [(PollerCapabilities, Trigger)] = [(.edge, .edge), (.oneShot, .oneShot), (.exclusive, .exclusive)]
      for (capability, mode) in modes where !poller.capabilities.contains(capability) {
        try requireError(.notSupported, in: "registering") {
          try poller.register(source: wire.near, for: .readable, trigger: mode, token: tokenA)
        }
        try requireError(.notRegistered, in: "deregistering what was refused") {
          try poller.deregister(source: wire.near)
        }
      }
    }
      + rule(
        "mode.together",
        "Modes that do not go together, in registering or in modifying, are `.notSupported` and change nothing."
      ) { poller in
        let wire = try Wire()
        defer { wire.close() }
        let modes: [Trigger] = [
          [], .edge, .oneShot, .exclusive, [.edge, .oneShot], [.edge, .exclusive],
          [.oneShot, .exclusive], [.edge, .oneShot, .exclusive],
        ]
        for first in modes {
          guard try poller.takes(wire.near, first) else {
            try requireError(.notRegistered, in: "deregistering what was refused") {
              try poller.deregister(source: wire.near)
            }
            continue
          }
          for second in modes {
            do throws(SocketError) {
              try poller.modify(source: wire.near, for: .readable, trigger: second, token: tokenA)
            } catch {
              try requireEqual(error.code, .notSupported, "the refusal to change \(first) into \(second)")
            }
          }
          try poller.deregister(source: wire.near)
        }
      }
      + rule("one-shot.once", "A one-shot registration reports once, and again only after it is modified.") { poller in
        guard poller.capabilities.contains(.oneShot) else { return }
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(source: wire.near, for: .readable, trigger: .oneShot, token: tokenA)
        try poller.requireQuiet("before anything was ready")
        for token in [tokenA, tokenB] {
          wire.ring()
          try poller.requireEvent(token, .readable, "once")
          try poller.requireQuiet("after the one event")
          wire.ring()
          try poller.requireQuiet("after the one event, with more data")
          try poller.modify(source: wire.near, for: .readable, trigger: .oneShot, token: tokenB)
        }
        try poller.requireEvent(tokenB, .readable, "after modifying")
        wire.closeFar()
        try poller.requireQuiet("after the one event, with a closed peer")
        try requireError(.alreadyRegistered, in: "registering what has fired") {
          try poller.register(wire.near, for: .readable, token: tokenA)
        }
        try poller.deregister(source: wire.near)
      }
      + rule("one-shot.nothing-lost", "One-shot registrations that are modified after each event lose nothing.") {
        poller in
        guard poller.capabilities.contains(.oneShot) else { return }
        try countRings(&poller, .oneShot)
      }
      + rule("edge.once", "An edge-triggered source reports once until something new comes.") { poller in
        guard poller.capabilities.contains(.edge) else { return }
        let wire = try Wire()
        defer { wire.close() }
        wire.ring()
        try poller.register(source: wire.near, for: .readable, trigger: .edge, token: tokenA)
        try poller.requireEvent(tokenA, .readable, "for what was there before registering")
        try poller.requireQuiet("without anything new")
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "for new data")
        wire.drain()
        try poller.requireQuiet("after reading")
        wire.closeFar()
        try poller.requireEvent(tokenA, .hangUp, "for the peer's end")
        try poller.requireQuiet("after the peer's end")
      }
      + rule("edge.nothing-lost", "Edge-triggered sources that are read until they would block lose nothing.") {
        poller in
        guard poller.capabilities.contains(.edge) else { return }
        try countRings(&poller, .edge)
      }
      + rule("edge.rearm", "Modifying an edge-triggered source reports again what is still ready.") { poller in
        guard poller.capabilities.contains(.edge) else { return }
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(source: wire.near, for: .readable, trigger: .edge, token: tokenA)
        wire.ring()
        try poller.requireEvent(tokenA, .readable, "first")
        try poller.modify(source: wire.near, for: .readable, trigger: .edge, token: tokenB)
        try poller.requireEvent(tokenB, .readable, "after modifying")
        try poller.requireQuiet("after modifying, without anything new")
      }
      + rule("exclusive.reports", "Of two pollers that watch exclusively at least one reports.") { poller in
        guard poller.capabilities.contains(.exclusive) else { return }
        var second = try makePoller(P.self, configuration)
        let wire = try Wire()
        defer { wire.close() }
        try poller.register(source: wire.near, for: .readable, trigger: .exclusive, token: tokenA)
        try second.register(source: wire.near, for: .readable, trigger: .exclusive, token: tokenB)
        wire.ring()
        let first = try poller.events(within: Times.quiet)
        let events = first + (try second.events(within: first.isEmpty ? Times.patience : .zero))
        try require(!events.isEmpty, "neither reported")
        try poller.deregister(source: wire.near)
        try second.deregister(source: wire.near)
      }
      + rule("exclusive.few", strength: .stochastic, "Of four pollers that wait exclusively one event wakes few.") {
        poller in
        // A poller that never sleeps polls by itself, so it is not woken.
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
        try require(reports.count <= 2 * rings, "\(rings) events were reported \(reports.count) times by four pollers")
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
      try requireEqual(error.code, .notSupported, "the refusal of \(trigger)")
      return false
    }
  }
}
