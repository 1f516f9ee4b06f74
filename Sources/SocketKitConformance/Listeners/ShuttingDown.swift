internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var shutdownRules: [ConformanceRule] {
    rule("sleep.accept", "An accept that waits uses no processor time while nobody connects.") { listening in
      try requireSleep("an accept") {
        try requireError(.timedOut, in: "an accept") { try listening.accept(within: Times.idle) }
      }
    }
      + rule("shutdown.wakes", "Shutting a listener down ends every accept that waits, at once, and every later one.") {
        listening in
        let listener = listening.listener
        let waiting = { @Sendable () throws -> Void in
          try requireError(.shutDown, in: "an accept that waits") { try listening.accept() }
        }
        let early = (0..<2).map { _ in RuleThread(waiting) }
        pause(Times.short)
        let late = RuleThread(waiting)
        pause(.milliseconds(5))
        let watch = Stopwatch()
        try listener.value.shutdown()
        for thread in early + [late] { try thread.join() }
        try requireError(.shutDown, in: "a try afterwards") { try listener.value.accept() }
        var peer = AnySocketAddress()
        try requireError(.shutDown, in: "a try that reports the peer") {
          try listener.value.accept(reporting: &peer)
        }
        try requireError(.shutDown, in: "an accept afterwards") { try listening.accept() }
        try listener.value.shutdown()
        try watch.requirePrompt("the accepts")
      }
      + rule("shutdown.keeps-accepted", "Shutting a listener down leaves accepted connections alone.") { listening in
        let client = try listening.connect()
        let server = try listening.accept()
        try listening.listener.value.shutdown()
        try requireEqual(try server.remoteAddress(), try client.localAddress(), "the connecting end's address")
        try requireEqual(try client.remoteAddress(), try server.localAddress(), "the accepted end's address")
      }
  }
}
