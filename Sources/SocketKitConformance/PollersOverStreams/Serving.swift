internal import SocketKitCore

extension PollerOverStreamSuite where P: ~Copyable, S: ~Copyable {
  var serverRules: [ConformanceRule] {
    serverRule("echo.many", "A server loop echoes 100 messages on each of 64 connections.", connections: 64) {
      clients in
      try echo(clients, rounds: 100 / SlowHost.factor, message: 32)
    }
      + serverRule("echo.bulk", "A server loop echoes a stream that is larger than all buffers.", connections: 1) {
        clients in
        var random = SeededRandom(seed: 10)
        // Send less on the emulated machine, because its buffers do not grow.
        let sent = random.bytes((SlowHost.factor == 1 ? 6 : 2) << 20)
        let client = clients[0]
        let writer = RuleThread { try client.writeAll(sent) }
        pause(Times.settle)
        try requireSameBytes(try client.readExactly(sent.count), sent, "echoed")
        try writer.join()
      }
      + serverRule(
        "echo.slow-reader", "A client that does not read its echoes does not delay the other connections.",
        connections: 4
      ) {
        clients in
        // The first client does not read its echo, so its writes time out when the connection accepts no more bytes.
        let (error, taken) = try clients[0].writeUntilError(until: .after(.milliseconds(60)))
        try requireEqual(error.code, .timedOut, "the error that ended the writes")
        let watch = Stopwatch()
        try echo(Array(clients.dropFirst()), rounds: 50, message: 100)
        let elapsed = watch.elapsed
        try require(elapsed < Times.limit, "150 echoes on the connections that are not stalled took \(elapsed)")
        let echoed = try clients[0].readExactly(taken)
        try requireEqual(echoed.count, taken, "the number of bytes echoed to the slow reader")
      }
      + serverRule(
        "echo.fairness", "A connection that always has data to echo does not starve the other connections.",
        connections: 3
      ) { clients in
        let stop = WaitControl()
        let flood = clients[0]
        let writer = RuleThread { _ = try flood.writeUntilError(until: .after(Times.limit).cancellable(by: stop)) }
        let reader = RuleThread {
          while (try? flood.readSome(until: .after(Times.limit).cancellable(by: stop))) != nil {}
        }
        let watch = Stopwatch()
        let result = Result { try echo(Array(clients.dropFirst()), rounds: 50, message: 10) }
        let elapsed = watch.elapsed
        // Cancel even after a failure: otherwise the reader would never end.
        stop.cancel()
        try writer.join()
        try reader.join()
        try result.get()
        try require(
          elapsed < Times.limit, "100 echoes on the connections that are not flooded took \(elapsed)")
      }
      + serverRule(
        "echo.closing", "A server loop removes each connection that its client closes.", connections: 16
      ) {
        clients in
        try echo(clients, rounds: 2, message: 8)
        for client in clients { client.close() }
      }
  }

  /// Creates a rule that runs an echo server on the rule's poller. A separate thread runs `body`, which receives the
  /// clients as its argument. Then all clients close, and the server must remove every connection.
  private func serverRule(
    _ id: String, _ summary: String, connections: Int, _ body: @escaping @Sendable ([Shared<S>]) throws -> Void
  ) -> [ConformanceRule] {
    [
      ConformanceRule("poller-stream.\(id)", summary) { [configuration, makePair] in
        var server = EchoServer<P, S>(try makePoller(P.self, configuration), capacity: connections)
        var clients: [Shared<S>] = []
        for _ in 0..<connections {
          try makePair().split { near, far in
            clients.append(Shared(near))
            try server.add(far)
          }
        }
        let done = Counter()
        let waker = server.waker
        let player = RuleThread { [clients] in
          defer {
            done.increment()
            waker.wake()
          }
          try body(clients)
          for client in clients { client.close() }
        }
        // Run until the clients have finished and, unless they failed, all connections are closed.
        try server.run { open in done.count > 0 && (open == 0 || player.hasFailed) }
        try player.join()
        try requireEqual(server.count, 0, "the number of connections left after all clients closed")
      }
    ]
  }
}

/// In each round, writes one message from every client, then reads all echoes.
func echo<S: StreamSocket & ~Copyable>(_ clients: [Shared<S>], rounds: Int, message size: Int) throws {
  for round in 0..<rounds {
    for (index, client) in clients.enumerated() {
      try client.writeAll([UInt8](repeating: UInt8(truncatingIfNeeded: round &* 31 &+ index), count: size))
    }
    for (index, client) in clients.enumerated() {
      let wanted = [UInt8](repeating: UInt8(truncatingIfNeeded: round &* 31 &+ index), count: size)
      try requireSameBytes(try client.readExactly(size), wanted, "echo \(round) of client \(index)")
    }
  }
}
