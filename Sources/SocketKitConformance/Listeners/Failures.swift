internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var failureRules: [ConformanceRule] {
    rule(
      "accept.descriptors-exhausted",
      "Without a free descriptor, accepting fails with `.tooManyDescriptors`; later it returns the same connection."
    ) {
      listening in
      let client = try listening.connect()
      // The connection must have arrived, so that the first accept call finds it.
      try require(
        listening.listener.value.descriptor.becomesReadable(within: Times.patience), "no connection arrived")
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
      try requireEqual(
        try server.remoteAddress(), try client.localAddress(), "the peer of the connection accepted afterwards")
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
        // The listener may still return the reset connections; calls on them then report the error. If connecting
        // sockets are unnamed, the connections cannot be distinguished, and all four must be accepted.
        if accepted == 4 { return }
        if !names.contains(own), let peer = try? server.remoteAddress(), peer == own { return }
      }
    }
      + rule(
        "close.refuses", "After the listener has closed, every connect fails immediately and leaks no descriptor."
      ) {
        listening in
        let address = try listening.listener.value.localAddress()
        listening.listener.close()
        let watch = Stopwatch()
        for _ in 0..<20 {
          try requireError(
            .connectionRefused, .noSuchPath, .connectionReset, in: "connecting to the address of a closed listener"
          ) {
            try listening.connect(to: address)
          }
        }
        try watch.requirePrompt("twenty connects")
      }
      + rule("close.keeps-accepted", "Closing the listener does not close accepted connections.") { listening in
        let client = try listening.connect()
        let server = try listening.accept()
        listening.listener.close()
        try requireEqual(try server.remoteAddress(), try client.localAddress(), "the connecting socket's address")
        try requireEqual(try client.remoteAddress(), try server.localAddress(), "the accepted socket's address")
      }
      + rule("close.waiting", "Closing the listener ends connections that wait to be accepted.") {
        listening in
        let client = try listening.connect()
        listening.listener.close()
        try require(
          client.readSource.becomesReadable(within: Times.limit), "the client's socket did not become readable")
      }
  }
}
