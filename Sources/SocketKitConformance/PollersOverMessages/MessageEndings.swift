internal import SocketKitCore

extension PollerOverMessageSuite where P: ~Copyable, S: ~Copyable {
  var endingRules: [ConformanceRule] {
    rule(
      "error", given: .delayedErrors,
      "A delayed error is reported by the poller and returned by one receive, and is not reported afterwards."
    ) {
      poller, ends in
      try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
      ends.far.socket.close()
      try ends.near.send([1])
      try poller.requireEvent(tokenA, [.error], "for the refused message")
      try requireError(.connectionRefused, in: "the receive") { try ends.near.tryReceive() }
      try ends.near.requireNothing("after the error was returned")
      try poller.requireQuiet(for: .milliseconds(10), "after the error was returned")
    }
      + packetEndRules
  }

  private var packetEndRules: [ConformanceRule] {
    if messages.prefix != "packet" { return [] }
    return rule("end.close", "The peer's close is reported, and a receive then returns the end.") { poller, ends in
      try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
      try ends.far.send([9])
      ends.far.socket.close()
      try poller.requireEvent(tokenA, .readable, "for the packet")
      try ends.near.requireNext([9], "the last packet")
      try poller.requireEvent(tokenA, .readable, "for the end")
      guard case .end = try ends.near.tryReceive() else {
        throw ConformanceFailure("the receive after the report did not return the end")
      }
    }
      + rule(
        "end.half-close", needs: .halfClose,
        "The peer's shutdown of writing is reported, and sending to the peer remains possible."
      ) {
        poller, ends in
        try poller.register(ends.near.socket.value, for: [.readable, .readClosed], token: tokenA)
        try ends.far.socket.value.shutdown(.write)
        let readiness = try poller.requireEvent(tokenA, [.readable, .readClosed], "for the end")
        try require(!readiness.contains(.hangUp), "a hang-up was reported although one direction is still open")
        try poller.modify(ends.near.socket.value, for: .writable, token: tokenB)
        try poller.requireEvent(tokenB, .writable, "for writing")
        try ends.near.send([4])
        try ends.far.requireNext([4], "the message in the direction that is open")
      }
  }
}
