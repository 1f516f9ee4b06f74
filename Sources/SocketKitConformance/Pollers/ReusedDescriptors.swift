internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var descriptorRules: [ConformanceRule] {
    rule(
      "descriptor.reused-number", "A descriptor number that is closed and reused is reported only with its new token."
    ) {
      poller in
      var wire = try Wire()
      defer { wire.close() }
      let number = wire.near
      try poller.register(number, for: .readable, token: Token(index: 5))
      for round in 0..<20 as Range<UInt32> {
        wire.ring()
        try poller.requireEvent(Token(index: 5, generation: round), .readable, "before the descriptor was closed")
        try poller.deregister(source: number)
        wire.close()
        wire = try Wire()
        try wire.moveNear(to: number)
        try poller.register(number, for: .readable, token: Token(index: 5, generation: round + 1))
        try poller.requireQuiet(for: .milliseconds(1), "of a descriptor number that was reused")
      }
    }
      + rule(
        "descriptor.stale-event",
        "The token of an event whose source was removed from a slab finds no element, even if the number is reused."
      ) {
        poller in
        let first = try Wire()
        let second = try Wire()
        let third = try Wire()
        defer {
          first.close()
          second.close()
          third.close()
        }
        var slab = Slab<Int>(capacity: 4)
        let tokens = [slab.insert(1), slab.insert(2)]
        try poller.register(first.near, for: .readable, token: tokens[0])
        try poller.register(second.near, for: .readable, token: tokens[1])
        first.ring()
        second.ring()
        var count = 0
        let deadline = Deadline.after(Times.patience)
        while count < 2 && !deadline.hasPassed { count = try poller.wait(until: deadline) }
        try requireEqual(count, 2, "the number of events")
        // Act as a handler that closes the second connection while it handles the first event.
        try poller.deregister(source: second.near)
        try require(slab.remove(tokens[1]) != nil, "the slab did not contain an inserted element")
        let number = second.near
        second.closeNear()
        try third.moveNear(to: number)
        let new = slab.insert(3)
        try poller.register(number, for: .readable, token: new)
        for index in 0..<2 {
          let token = poller[event: index].token
          let owner = slab.withElement(token) { (element: borrowing Int) in copy element }
          try requireEqual(owner, token == tokens[0] ? 1 : nil, "the element that the event's token \(token) finds")
        }
        first.drain()
        try poller.requireQuiet("of the connection that reuses the descriptor number")
        third.ring()
        try poller.requireEvent(new, .readable, "of the connection that reuses the descriptor number")
      }
      + rule(
        "descriptor.closed-registered",
        "A descriptor that is closed while it is registered causes no endless events and does not hide other sources."
      ) {
        poller in
        let wire = try Wire()
        let other = try Wire()
        defer {
          wire.close()
          other.close()
        }
        try poller.register(wire.near, for: .readable, token: tokenA)
        try poller.register(other.near, for: .readable, token: tokenB)
        wire.ring()
        let number = wire.near
        wire.closeNear()
        let events = try poller.allEvents(for: .milliseconds(60))
        try require(events.count <= 2, "\(events.count) events of a descriptor that was closed while registered")
        try require(events.allSatisfy { $0.token == tokenA }, "an event of the other source: \(events)")
        other.ring()
        let seen = try poller.events(within: Times.patience)
        try require(seen.contains { $0.token == tokenB }, "the other source is no longer reported")
        other.drain()
        // The number must be usable again afterwards, even if the kernel still holds the old registration.
        do throws(SocketError) {
          try poller.deregister(source: number)
        } catch {
          try require(error.code == .notRegistered || error.code == .closed, "deregistering: \(error)")
        }
        let fresh = try Wire()
        defer { fresh.close() }
        try fresh.moveNear(to: number)
        try poller.register(number, for: .readable, token: tokenB)
        fresh.ring()
        try poller.requireEvent(tokenB, .readable, "of the reused descriptor number")
      }
      + [
        ConformanceRule("poller.descriptor.close-on-exec", "The poller's own descriptors are close-on-exec.") {
          [configuration] in
          let before = Set(openDescriptors())
          let poller = try makePoller(P.self, configuration)
          for number in openDescriptors() where !before.contains(number) {
            try require(
              RawDescriptor(number).isCloseOnExec,
              "\(describeDescriptor(number)) is inherited by executed programs: FD_CLOEXEC is missing")
          }
          _ = poller.wasWoken
        }
      ]
  }
}
