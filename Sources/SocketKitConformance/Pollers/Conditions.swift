internal import SocketKitCore

// The rules for readiness other than readable and writable: errors and urgent data.

extension PollerSuite where P: ~Copyable {
  var conditionRules: [ConformanceRule] {
    rule(
      "report.error", "A pending error is reported as an error; data, buffer space and the end of the stream are not."
    ) { poller in
      let wire = try Wire()
      defer { wire.close() }
      try poller.register(wire.near, for: [.readable, .writable], token: tokenA)
      wire.ring()
      let ready = try poller.requireEvent(tokenA, [.readable, .writable], "for data and buffer space")
      try require(!ready.contains(.error), "an error was reported for data and buffer space: \(ready)")
      wire.endFarWriting()
      wire.drain()
      let ended = try poller.requireEvent(tokenA, .readable, "for the end")
      try require(!ended.contains(.error), "an error was reported for the end: \(ended)")
      // Closing a Unix stream with unread bytes causes an error at the other end (unix_release_sock in
      // net/unix/af_unix.c).
      wire.ringFar()
      wire.closeFar()
      try poller.requireEvent(tokenA, .error, "for the pending error")
      try poller.modify(wire.near, for: [], token: tokenA)
      let paused = try poller.allEvents(for: .milliseconds(20))
      try require(paused.count <= 1, "\(paused.count) events of a paused source")
    }
      + rule("report.priority", "Urgent data is reported as urgent if the interest includes it.") { poller in
        let wire = try UrgentWire()
        defer { wire.close() }
        try poller.register(wire.near, for: .priority, token: tokenA)
        try poller.requireQuiet("before anything was sent")
        wire.ring(urgently: false)
        try poller.requireQuiet("although the interest includes only urgent data")
        wire.ring(urgently: true)
        for _ in 0..<2 { try poller.requireEvent(tokenA, .priority, "for urgent data") }
        try poller.modify(wire.near, for: .readable, token: tokenA)
        let readiness = try poller.requireEvent(tokenA, .readable, "for the data before the urgent data")
        try require(
          !readiness.contains(.priority), "urgent data was reported although the interest does not include it")
      }
  }
}
