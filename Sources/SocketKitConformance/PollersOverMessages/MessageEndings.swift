internal import SocketKitCore

extension PollerOverMessageSuite where P: ~Copyable, S: ~Copyable {
  var endingRules: [ConformanceRule] {
    rule(
      "error", given: .delayedErrors,
      "An error that comes back late is reported, told once by a receive, and then no more."
    ) {
      poller, ends in
      try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
      ends.far.socket.close()
      try ends.near.send([1])
      try poller.requireEvent(tokenA, [.error], "for the refused message")
      try requireError(.connectionRefused, in: "the receive") { try ends.near.tryReceive() }
      try ends.near.requireNothing("after the error was told")
      try poller.requireQuiet(for: .milliseconds(10), "after the error was told")
    }
      + packetEndRules
  }

  private var packetEndRules: [ConformanceRule] {
    if messages.prefix != "packet" { return [] }
    return rule("end.close", "A peer's close is reported, and the receive then gives the end.") { poller, ends in
      try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
      try ends.far.send([9])
      ends.far.socket.close()
      try poller.requireEvent(tokenA, .readable, "for the packet")
      try ends.near.requireNext([9], "the last packet")
      try poller.requireEvent(tokenA, .readable, "for the end")
      guard case .end = try ends.near.tryReceive() else { throw ConformanceFailure("what was reported is no end") }
    }
      + rule("end.half-close", needs: .halfClose, "A peer's end of writing is reported, and writing stays possible.") {
        poller, ends in
        try poller.register(ends.near.socket.value, for: [.readable, .readClosed], token: tokenA)
        try ends.far.socket.value.shutdown(.write)
        let readiness = try poller.requireEvent(tokenA, [.readable, .readClosed], "for the end")
        try require(!readiness.contains(.hangUp), "a hang-up was reported although one direction is open")
        try poller.modify(ends.near.socket.value, for: .writable, token: tokenB)
        try poller.requireEvent(tokenB, .writable, "for writing")
        try ends.near.send([4])
        try ends.far.requireNext([4], "the direction that is open")
      }
  }
}
