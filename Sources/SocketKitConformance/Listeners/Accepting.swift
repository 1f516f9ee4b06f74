internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var acceptRules: [ConformanceRule] {
    rule("accept.nobody", "Without a connection, an attempt to accept returns would-block immediately.") { listening in
      let watch = Stopwatch()
      for _ in 0..<5 { try listening.requireNobody("although no client connected") }
      try watch.requirePrompt("five attempts")
    }
      + rule(
        "accept.connects",
        "An accepted socket is the other end of the connection, and each connection is accepted once."
      ) {
        listening in
        let client = try listening.connect()
        let server = try listening.accept()
        try requireEqual(try server.localAddress(), try client.remoteAddress(), "the accepted socket's address")
        try requireEqual(try server.remoteAddress(), try client.localAddress(), "the connecting socket's address")
        try listening.requireNobody("twice")
      }
      + rule(
        "accept.flags",
        "The descriptors of accepted sockets, connected sockets and listeners are close-on-exec and non-blocking."
      ) {
        listening in
        let client = try listening.connect()
        let server = try listening.accept()
        let sources = [
          listening.listener.value.descriptor, client.readSource, client.writeSource, server.readSource,
          server.writeSource,
        ]
        for source in sources {
          try require(source.isCloseOnExec, "\(source) is inherited by executed programs: FD_CLOEXEC is missing")
          try require(source.isNonBlocking, "\(source) blocks: O_NONBLOCK is missing")
        }
      }
      + rule("accept.reporting", "Accepting reports the address of the connecting socket.") { listening in
        let client = try listening.connect()
        var peer = AnySocketAddress()
        let deadline = Deadline.after(Times.limit)
        while true {
          if let server = try listening.listener.value.accept(reporting: &peer) {
            let own = try client.localAddress()
            try requireEqual(S.Address(peer), own, "the reported address")
            try requireEqual(try server.remoteAddress(), own, "the accepted socket's remote address")
            try require(server.readSource.isCloseOnExec, "FD_CLOEXEC is missing")
            try require(server.readSource.isNonBlocking, "O_NONBLOCK is missing")
            return
          }
          try require(!deadline.hasPassed, "no connection arrived")
          pause(.milliseconds(1))
        }
      }
      + rule(
        "address.bound",
        "The listener's local address can be queried, and connecting to that address reaches the listener."
      ) {
        listening in
        let address = try listening.listener.value.localAddress()
        try requireEqual(try listening.listener.value.localAddress(), address, "the local address queried again")
        let client = try listening.connect(to: address)
        try requireEqual(try client.remoteAddress(), address, "the client's remote address")
        _ = try listening.accept()
      }
      + rule("accept.many", "Each of 64 connections is accepted exactly once.") { listening in
        var clients = Slab<S>(capacity: 64)
        var servers = Slab<S>(capacity: 64)
        while !clients.isFull { _ = clients.insert(try listening.connect()) }
        while !servers.isFull { _ = servers.insert(try listening.accept()) }
        try listening.requireNobody("although all connections had been accepted")
      }
  }
}
