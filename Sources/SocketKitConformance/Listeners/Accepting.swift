internal import SocketKitCore

extension ListenerSuite where S: ~Copyable {
  var acceptRules: [ConformanceRule] {
    rule("accept.nobody", "With nobody to accept, a try gives nothing at once.") { listening in
      let watch = Stopwatch()
      for _ in 0..<5 { try listening.requireNobody("although nobody connected") }
      try watch.requirePrompt("five tries")
    }
      + rule("accept.connects", "An accepted socket is the other end of the connection, and is given once.") {
        listening in
        let client = try listening.connect()
        let server = try listening.accept()
        try requireEqual(try server.localAddress(), try client.remoteAddress(), "the accepted end's address")
        try requireEqual(try server.remoteAddress(), try client.localAddress(), "the connecting end's address")
        try listening.requireNobody("twice")
      }
      + rule("accept.flags", "An accepted socket, a connected one and the listener are close-on-exec and non-blocking.")
    {
      listening in
      let client = try listening.connect()
      let server = try listening.accept()
      let sources = [
        listening.listener.value.descriptor, client.readSource, client.writeSource, server.readSource,
        server.writeSource,
      ]
      for source in sources {
        try require(source.isCloseOnExec, "\(source) is inherited by programs that are started: FD_CLOEXEC is missing")
        try require(source.isNonBlocking, "\(source) blocks: O_NONBLOCK is missing")
      }
    }
      + rule("accept.reporting", "Accepting reports the connecting end's own address.") { listening in
        let client = try listening.connect()
        var peer = AnySocketAddress()
        let deadline = Deadline.after(Times.limit)
        while true {
          if let server = try listening.listener.value.accept(reporting: &peer) {
            let own = try client.localAddress()
            try requireEqual(S.Address(peer), own, "the address reported")
            try requireEqual(try server.remoteAddress(), own, "the accepted end's remote address")
            try require(server.readSource.isCloseOnExec, "FD_CLOEXEC is missing")
            try require(server.readSource.isNonBlocking, "O_NONBLOCK is missing")
            return
          }
          try require(!deadline.hasPassed, "nobody arrived")
          pause(.milliseconds(1))
        }
      }
      + rule(
        "address.bound", "The address that the kernel chose can be read, connected to, and belongs to the listener."
      ) {
        listening in
        let address = try listening.listener.value.localAddress()
        try requireEqual(try listening.listener.value.localAddress(), address, "asked twice")
        let client = try listening.connect(to: address)
        try requireEqual(try client.remoteAddress(), address, "what the client is connected to")
        _ = try listening.accept()
      }
      + rule("accept.many", "Of 64 connections all arrive, each once.") { listening in
        var clients = Slab<S>(capacity: 64)
        var servers = Slab<S>(capacity: 64)
        while !clients.isFull { _ = clients.insert(try listening.connect()) }
        while !servers.isFull { _ = servers.insert(try listening.accept()) }
        try listening.requireNobody("although all had been")
      }
  }
}
