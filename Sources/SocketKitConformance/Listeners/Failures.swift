internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var failureRules: [ConformanceRule] {
    rule(
      "accept.descriptors-exhausted", "Out of descriptors accepting says so; the listener then accepts the same one."
    ) {
      listening in
      let client = try listening.connect()
      // Wait for the connection to arrive, so that the first accept finds it.
      pause(.milliseconds(5))
      try withoutFreeDescriptors {
        for _ in 0..<3 {
          let error = try requireError(.tooManyDescriptors, in: "an accept without descriptors") {
            _ = try listening.listener.value.accept()
          }
          try requireEqual(error.operation, .accept, "the operation that failed")
        }
        try requireError(.tooManyDescriptors, in: "a waiting accept without descriptors") {
          try listening.accept()
        }
      }
      let server = try listening.accept()
      try requireEqual(try server.remoteAddress(), try client.localAddress(), "who was accepted afterwards")
    }
      + rule("accept.reset-connection", "A connection that is reset before it is accepted does not stop the listener.")
    {
      listening in
      var names: Set<S.Address> = []
      for _ in 0..<3 {
        let doomed = try listening.connect()
        names.insert(try doomed.localAddress())
        // Closing with a zero linger time resets the connection, if the transport supports resets.
        try? SocketOption<SocketLevelOptions, Duration?>.linger.write(doomed.readSource, .zero)
      }
      let client = try listening.connect()
      let own = try client.localAddress()
      let deadline = Deadline.after(Times.limit)
      var accepted = 0
      while true {
        try require(!deadline.hasPassed, "the connection after the reset ones was not accepted")
        guard let server = try listening.listener.value.accept() else {
          pause(.milliseconds(1))
          continue
        }
        accepted += 1
        // The listener may still return the reset connections; their error then appears on use. If connecting sockets
        // have no names, the connections cannot be distinguished, and all four must be accepted.
        if accepted == 4 { return }
        if !names.contains(own), let peer = try? server.remoteAddress(), peer == own { return }
      }
    }
      + rule(
        "close.refuses", "After the listener has closed, connecting fails at once, again and again, and leaks nothing."
      ) {
        listening in
        let address = try listening.listener.value.localAddress()
        listening.listener.close()
        let watch = Stopwatch()
        for _ in 0..<20 {
          try requireError(.connectionRefused, .noSuchPath, .connectionReset, in: "connecting to nobody") {
            try listening.connect(to: address)
          }
        }
        try watch.requirePrompt("twenty connects")
      }
      + rule("close.keeps-accepted", "Closing the listener leaves accepted connections as they are.") { listening in
        let client = try listening.connect()
        let server = try listening.accept()
        listening.listener.close()
        try requireEqual(try server.remoteAddress(), try client.localAddress(), "the connecting end's address")
        try requireEqual(try client.remoteAddress(), try server.localAddress(), "the accepted end's address")
      }
      + rule("close.waiting", "Connections that wait when the listener closes are ended, not left hanging or leaked.") {
        listening in
        let client = try listening.connect()
        listening.listener.close()
        try require(client.readSource.becomesReadable(within: Times.limit), "the client does not see the end")
      }
  }
}
