internal import SocketKitCore

extension PollerOverStreamSuite where P: ~Copyable, S: Transport & Acceptable<Void> & ~Copyable {
  func connectionRules(_ address: @escaping @Sendable () throws -> S.Address) -> [ConformanceRule] {
    listening(
      "accept.reported", address, "A listener is reported while a connection waits to be accepted, and not afterwards."
    ) {
      poller, listener in
      try poller.register(listener.value, for: .readable, token: tokenA)
      try poller.requireQuiet("before a client connected")
      let client = try S.connect(to: listener.value.localAddress(), until: .after(Times.limit))
      for _ in 0..<2 { try poller.requireEvent(tokenA, .readable, "with a connection to accept") }
      try require(
        try listener.value.accept() != nil, "accept returned no connection although the listener was reported")
      try poller.requireQuiet("after all connections were accepted")
      _ = client
    }
      + listening("shutdown.reported", address, "A listener that was shut down is reported until it is deregistered.") {
        poller, listener in
        // The kernel cannot shut down vsock listeners. The `shutdown` method still ends accept calls, but no poller
        // reports the listener.
        if S.capabilities.contains(.silentListeners) { return }
        try poller.register(listener.value, for: .readable, token: tokenA)
        try poller.requireQuiet("before the shutdown")
        try listener.value.shutdown()
        for _ in 0..<2 { try poller.requireEvent(tokenA, [], "for the listener that was shut down") }
        try requireError(.shutDown, in: "an accept") { try listener.value.accept() }
        try poller.deregister(source: listener.value.descriptor)
        try poller.requireQuiet("after the listener was deregistered")
      }
      + listening(
        "connect.writable", address,
        "A connect that was started has finished when the poller reports its descriptor as writable."
      ) {
        poller, listener in
        let pending = try S.startConnecting(to: listener.value.localAddress())
        try poller.register(pending, for: .writable, token: tokenA)
        try poller.requireEvent(tokenA, .writable, "for the connect")
        try require(try pending.isFinished(), "the poller reported writable, but the connect has not finished")
        try poller.deregister(pending)
        let client = Shared(try pending.finish())
        let server = Shared(try listener.value.accept(until: .after(Times.limit)))
        try client.writeAll([1])
        try requireEqual(try server.readExactly(1), [1], "the first byte")
        client.close()
        server.close()
      }
      + listening(
        "connect.refused", address,
        "A refused connect fails immediately, or when it is finished after the poller has reported it."
      ) {
        poller, listener in
        let nobody = try listener.value.localAddress()
        listener.close()
        for _ in 0..<5 {
          // Transports with this capability report `.connectionReset` for a refused connection, not
          // `.connectionRefused`.
          let refused: SocketError.Code =
            S.capabilities.contains(.refusesByReset) ? .connectionReset : .connectionRefused
          try requireError(refused, .noSuchPath, in: "a connect to the address of a closed listener") {
            let pending = try S.startConnecting(to: nobody)
            try poller.register(pending, for: .writable, token: tokenA)
            try poller.requireEvent(tokenA, [], "for the refused connect")
            try poller.deregister(pending)
            return try pending.finish()
          }
        }
        try poller.requireQuiet("after refused connects")
      }
      + listening(
        "connect.cancelled-any-moment", address,
        "Cancelling ends a connect immediately, even while the connect is starting to wait for its listener."
      ) {
        _, _ in
        try connectingInVain(to: try address()) { name in
          try atAnyMoment(rounds: 2000, seed: 26) {
            $0.cancel()
          } _: { control in
            try requireError(.cancelled, in: "a connect") {
              try S.connect(to: name, until: .after(Times.limit).cancellable(by: control))
            }
          }
        }
      }
      + listening(
        "connect.deadline-any-moment", address,
        "Setting a past deadline ends a connect immediately, even while it is starting to wait for its listener."
      ) {
        _, _ in
        try connectingInVain(to: try address()) { name in
          try atAnyMoment(rounds: 2000, seed: 27) {
            $0.setDeadline(.past)
          } _: { control in
            try requireError(.timedOut, in: "a connect") {
              try S.connect(to: name, until: .after(Times.limit).cancellable(by: control))
            }
          }
        }
      }
      + listening(
        "echo.listener", address,
        "A server loop with a listener accepts 40 connections, eight at a time, and echoes their messages."
      ) {
        poller, listener in
        let configuration = configuration
        // The server needs capacity for all clients, because some transports report a client's end only after later
        // clients have connected.
        var server = EchoServer<P, S>(try makePoller(P.self, configuration), capacity: 40)
        try server.watch(listener.value)
        let done = Counter()
        let waker = server.waker
        let name = try listener.value.localAddress()
        let player = RuleThread {
          defer {
            done.increment()
            waker.wake()
          }
          for _ in 0..<5 {
            let clients = try (0..<8).map { _ in Shared(try S.connect(to: name, until: .after(Times.limit))) }
            try echo(clients, rounds: 3, message: 64)
            for client in clients { client.close() }
          }
        }
        try server.run(accepting: { try listener.value.accept() }) { open in
          done.count > 0 && (open == 0 || player.hasFailed)
        }
        try player.join()
        try requireEqual(server.count, 0, "the number of connections left after all clients closed")
      }
  }

  /// Runs `body` with the address of a listener whose backlog is full. Does nothing if no connect call is blocked: some
  /// transports refuse connections when the backlog is full, and some have no limit.
  private func connectingInVain(to address: S.Address, _ body: (S.Address) throws -> Void) throws {
    let listener = try S.listen(on: address, backlog: 0)
    let name = try listener.localAddress()
    var clients: [Shared<S>] = []
    defer { for client in clients { client.close() } }
    while clients.count < 8 {
      do throws(SocketError) {
        clients.append(Shared(try S.connect(to: name, until: .after(Times.short))))
      } catch {
        if error.code == .timedOut { try body(name) }
        return
      }
    }
  }

  private func listening(
    _ id: String, _ address: @escaping @Sendable () throws -> S.Address, _ summary: String,
    _ body: @escaping @Sendable (inout P, Shared<Listener<S>>) throws -> Void
  ) -> [ConformanceRule] {
    [
      ConformanceRule("poller-stream.\(id)", summary) { [configuration] in
        var poller = try makePoller(P.self, configuration)
        let listener = Shared(try S.listen(on: try address()))
        try body(&poller, listener)
        listener.close()
      }
    ]
  }
}
