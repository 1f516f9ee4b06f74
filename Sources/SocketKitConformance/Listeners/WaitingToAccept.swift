internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var waitRules: [ConformanceRule] {
    rule("accept.waits", "An accept that waits takes the connection that comes later.") { listening in
      let client = RuleThread {
        pause(Times.settle)
        return Shared(try listening.connect())
      }
      let server = try listening.accept()
      let connected = try client.join()
      try requireEqual(try server.remoteAddress(), try connected.value.localAddress(), "who was accepted")
      connected.close()
    }
      + rule("accept.timed-out", "An accept that waits times out at its deadline: not earlier, and not much later.") {
        listening in
        let watch = Stopwatch()
        try requireError(.timedOut, in: "an accept") { try listening.accept(within: Times.short) }
        try watch.require(from: Times.short, "the accept")
        let client = try listening.connect()
        _ = try listening.accept()
        _ = client
      }
      + rule("accept.passed-deadline", "With a deadline that has passed an accept tries once, and does not wait.") {
        listening in
        let watch = Stopwatch()
        try requireError(.timedOut, in: "an accept of nothing") { try listening.listener.value.accept(until: .past) }
        try watch.requirePrompt("the accept")
        let client = try listening.connect()
        try require(
          listening.listener.value.descriptor.becomesReadable(within: Times.patience), "no connection arrived")
        _ = try listening.listener.value.accept(until: .past)
        _ = client
      }
      + rule("accept.cancelled", "Cancelling ends every accept that waits, at once, and the listener goes on.") {
        listening in
        let control = WaitControl()
        let threads = (0..<3).map { _ in
          RuleThread {
            try requireError(.cancelled, in: "an accept") {
              try listening.listener.value.accept(until: .after(Times.limit).cancellable(by: control))
            }
          }
        }
        pause(Times.settle)
        let watch = Stopwatch()
        control.cancel()
        for thread in threads { try thread.join() }
        try watch.requirePrompt("the accepts")
        let client = try listening.connect()
        _ = try listening.accept()
        _ = client
      }
      + rule("accept.cancelled-any-moment", "Cancelling at any moment of an accept's beginning ends it at once.") {
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
        "A deadline set into the past at any moment of an accept's beginning ends it at once."
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
      + rule("accept.signal", "A signal during an accept that waits does not end it.") { listening in
        let handled = try SignalWatch.interrupting(times: 3, then: { _ = try listening.connect() }) {
          _ = try listening.accept()
        }
        try requireEqual(handled, 3, "signals that were handled")
      }
      + rule("accept.threads", "Several threads may accept from one listener: each connection is given to one of them.")
    {
      listening in
      let threads = (0..<4).map { _ in
        RuleThread { for _ in 0..<8 { _ = try listening.accept() } }
      }
      var clients = Slab<S>(capacity: 32)
      while !clients.isFull { _ = clients.insert(try listening.connect()) }
      for thread in threads { try thread.join() }
      try listening.requireNobody("although all had been")
    }
  }
}
