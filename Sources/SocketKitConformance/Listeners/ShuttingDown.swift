internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var shutdownRules: [ConformanceRule] {
    rule("sleep.accept", "A waiting accept uses almost no processor time while no client connects.") { listening in
      try requireSleep("an accept") {
        try requireError(.timedOut, in: "an accept") { try listening.accept(within: Times.idle) }
      }
    }
      + rule("shutdown.wakes", "Shutting down a listener immediately ends all waiting accept calls and all later ones.")
    {
      listening in
      let listener = listening.listener
      let waiting = { @Sendable () throws -> Void in
        try requireError(.shutDown, in: "a waiting accept") { try listening.accept() }
      }
      let early = (0..<2).map { _ in RuleThread(waiting) }
      pause(Times.short)
      awaitSleep()
      let late = RuleThread(waiting)
      awaitSleep()
      let watch = Stopwatch()
      try listener.value.shutdown()
      for thread in early + [late] { try thread.join() }
      try requireError(.shutDown, in: "an attempt afterwards") { try listener.value.accept() }
      var peer = AnySocketAddress()
      try requireError(.shutDown, in: "an attempt that reports the peer") {
        try listener.value.accept(reporting: &peer)
      }
      try requireError(.shutDown, in: "a waiting accept afterwards") { try listening.accept() }
      try listener.value.shutdown()
      try watch.requirePrompt("the accepts")
    }
      + rule("shutdown.keeps-accepted", "Shutting down a listener does not close accepted connections.") { listening in
        let client = try listening.connect()
        let server = try listening.accept()
        try listening.listener.value.shutdown()
        try requireEqual(try server.remoteAddress(), try client.localAddress(), "the connecting socket's address")
        try requireEqual(try client.remoteAddress(), try server.localAddress(), "the accepted socket's address")
      }
  }
}
