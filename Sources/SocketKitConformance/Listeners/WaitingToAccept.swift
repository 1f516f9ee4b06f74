internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var waitRules: [ConformanceRule] {
    rule("accept.waits", "A waiting accept returns a connection that arrives later.") { listening in
      let client = RuleThread {
        awaitSleep()
        return Shared(try listening.connect())
      }
      let server = try listening.accept()
      let connected = try client.join()
      try requireEqual(
        try server.remoteAddress(), try connected.value.localAddress(), "the peer of the accepted connection")
      connected.close()
    }
      + rule("accept.timed-out", "A waiting accept times out at its deadline, not earlier and not much later.") {
        listening in
        let watch = Stopwatch()
        try requireError(.timedOut, in: "an accept") { try listening.accept(within: Times.short) }
        try watch.require(from: Times.short, "the accept")
        let client = try listening.connect()
        _ = try listening.accept()
        _ = client
      }
      + rule(
        "accept.passed-deadline", "If the deadline has already passed, an accept makes one attempt and does not wait."
      ) {
        listening in
        let watch = Stopwatch()
        try requireError(.timedOut, in: "an accept without a connection") {
          try listening.listener.value.accept(until: .past)
        }
        try watch.requirePrompt("the accept")
        let client = try listening.connect()
        try require(
          listening.listener.value.descriptor.becomesReadable(within: Times.patience), "no connection arrived")
        _ = try listening.listener.value.accept(until: .past)
        _ = client
      }
      + rule(
        "accept.cancelled",
        "Cancelling a control immediately ends all accept calls that wait with it, and the listener still works."
      ) {
        listening in
        let control = WaitControl()
        let threads = (0..<3).map { _ in
          RuleThread {
            try requireError(.cancelled, in: "an accept") {
              try listening.listener.value.accept(until: .after(Times.limit).cancellable(by: control))
            }
          }
        }
        awaitSleep()
        let watch = Stopwatch()
        control.cancel()
        for thread in threads { try thread.join() }
        try watch.requirePrompt("the accepts")
        let client = try listening.connect()
        _ = try listening.accept()
        _ = client
      }
      + rule(
        "accept.cancelled-any-moment",
        "Cancelling ends an accept immediately, even while the accept is starting to wait."
      ) {
        listening in
        try atAnyMoment(seed: 23) {
          $0.cancel()
        } _: { control in
          try requireError(.cancelled, in: "an accept") {
            try listening.listener.value.accept(until: .after(Times.limit).cancellable(by: control))
          }
        }
      }
      + rule(
        "accept.deadline-any-moment",
        "Setting a past deadline ends an accept immediately, even while the accept is starting to wait."
      ) {
        listening in
        try atAnyMoment(seed: 28) {
          $0.setDeadline(.past)
        } _: { control in
          try requireError(.timedOut, in: "an accept") {
            try listening.listener.value.accept(until: .after(Times.limit).cancellable(by: control))
          }
        }
      }
      + rule("accept.signal", "A signal handler that runs during a waiting accept does not end the accept.") {
        listening in
        let handled = try SignalWatch.interrupting(times: 3, then: { _ = try listening.connect() }) {
          _ = try listening.accept()
        }
        try requireEqual(handled, 3, "the number of handled signals")
      }
      + rule(
        "accept.threads",
        "If several threads accept from one listener, each connection is returned to exactly one thread."
      ) {
        listening in
        let threads = (0..<4).map { _ in
          RuleThread { for _ in 0..<8 { _ = try listening.accept() } }
        }
        var clients = Slab<S>(capacity: 32)
        while !clients.isFull { _ = clients.insert(try listening.connect()) }
        for thread in threads { try thread.join() }
        try listening.requireNobody("although all connections had been accepted")
      }
  }
}
