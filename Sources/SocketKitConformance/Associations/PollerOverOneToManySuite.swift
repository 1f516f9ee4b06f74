public import SocketKitCore

/// The conformance rules of a poller that watches a socket with several peers.
///
/// ```swift
/// let suite = PollerOverOneToManySuite<EpollPoller, MySocket>("mine over epoll", of: OneToManySuite("mine") { … })
/// ```
public struct PollerOverOneToManySuite<P: Poller & ~Copyable, S: OneToManySocket & ~Copyable>: ConformanceSuite {
  public let name: String
  let configuration: P.Configuration
  let sockets: OneToManySuite<S>

  /// - Parameters:
  ///   - name: the name of the combination in reports.
  ///   - configuration: the configuration of the pollers.
  ///   - suite: creates the sockets.
  public init(
    _ name: String, configuration: P.Configuration = P.configuration(capacity: 64), of suite: OneToManySuite<S>
  ) {
    self.name = name
    self.configuration = configuration
    sockets = suite
  }

  public var rules: [ConformanceRule] { readinessRules + modeRules + endRules }

  /// Creates a rule for a new poller, a new server and its clients.
  private func rule(
    _ id: String, _ summary: String, _ body: @escaping @Sendable (inout P, Associations<S>) throws -> Void
  ) -> [ConformanceRule] {
    [
      ConformanceRule("poller-association.\(id)", summary) { [configuration, sockets] in
        var poller = try makePoller(P.self, configuration)
        let all = try Associations(clients: 3, sockets.makeSocket)
        try body(&poller, all)
        all.close()
      }
    ]
  }

  private var readinessRules: [ConformanceRule] {
    rule(
      "readable", "A socket is reported as readable while a message of any association is queued, and not afterwards."
    ) {
      poller, all in
      try poller.register(all.server.socket.value, for: .readable, token: tokenA)
      try poller.requireQuiet(for: quiet, "before anything was sent")
      for index in all.clients.indices { try all.clients[index].send(numbered(index), on: all.ofClients[index]) }
      for index in all.clients.indices {
        for _ in 0..<2 { try poller.requireEvent(tokenA, .readable, "with \(3 - index) messages to receive") }
        guard case .message = try all.server.next() else { throw ConformanceFailure("no message was received") }
      }
      try poller.requireQuiet(for: quiet, "after receiving everything")
      try poller.deregister(all.server.socket.value)
    }
      + rule("writable", "A new socket is reported as writable if the interest includes writability.") { poller, all in
        try poller.register(all.server.socket.value, for: .writable, token: tokenA)
        try poller.requireEvent(tokenA, .writable, "on a new socket")
        try poller.modify(all.server.socket.value, for: .readable, token: tokenB)
        try all.clients[1].send([1], on: all.ofClients[1])
        let readiness = try poller.requireEvent(tokenB, .readable, "for a message")
        try require(!readiness.contains(.writable), "writable was reported although the interest does not include it")
      }
  }

  private var modeRules: [ConformanceRule] {
    rule(
      "level", "With level triggering, all messages are received even if each event is followed by a single receive."
    ) {
      poller, all in
      // These messages arrive before the first wait. Later waits must still report them, although nothing has changed.
      for index in all.clients.indices {
        for number in 0..<4 { try all.clients[index].send(numbered(number), on: all.ofClients[index]) }
      }
      awaitSleep()
      try poller.register(all.server.socket.value, for: .readable, token: tokenA)
      try receiveAll(&poller, all, once: true, from: 4)
    }
      + rule(
        "edge",
        "With edge triggering, all messages are received if each event is followed by receives until one would block."
      ) {
        poller, all in
        guard poller.capabilities.contains(.edge) else { return }
        try poller.register(all.server.socket.value, for: .readable, trigger: .edge, token: tokenA)
        try receiveAll(&poller, all, once: false)
      }
  }

  private var endRules: [ConformanceRule] {
    rule("end", "The end and the abort of an association are reported, and later messages of other associations too.") {
      poller, all in
      try poller.register(all.server.socket.value, for: .readable, token: tokenA)
      try all.clients[0].socket.value.shutdown(all.ofClients[0])
      try poller.requireEvent(tokenA, .readable, "for an end")
      try all.server.requireArrival(.end(all.ofServer[0]), "the receive after the report")
      try poller.requireQuiet(for: quiet, "after the end was received")
      try all.clients[1].socket.value.abort(all.ofClients[1])
      try poller.requireEvent(tokenA, .readable, "for an abort")
      try all.server.requireArrival(.failure(.connectionReset, all.ofServer[1]), "the receive after the report")
      try poller.requireQuiet(for: quiet, "after the abort was received")
      try all.clients[2].send([5], on: all.ofClients[2])
      try poller.requireEvent(tokenA, .readable, "for a message of another association")
      try all.server.requireNext([5], all.ofServer[2], "the message")
    }
  }

  private func receiveAll(_ poller: inout P, _ all: Associations<S>, once: Bool, from first: Int = 0) throws {
    let total = 30
    let senders = all.clients.indices.map { index in
      RuleThread {
        for number in first..<total {
          try all.clients[index].send(numbered(number), on: all.ofClients[index])
          if number % 10 == 0 { pause(.microseconds(200)) }
        }
      }
    }
    var next = [Int](repeating: 0, count: all.clients.count)
    while next.contains(where: { $0 < total }) {
      let events = try poller.events(within: Times.patience)
      try require(!events.isEmpty, "no event after \(next) of \(total) messages each")
      for _ in events {
        while let arrival = try all.server.tryReceive(256) {
          guard case .message(let bytes, let association) = arrival,
            let index = all.ofServer.firstIndex(of: association)
          else { throw ConformanceFailure("\(arrival.text) after \(next) messages") }
          try requireSameBytes(bytes, numbered(next[index]), "message \(next[index]) of client \(index)")
          next[index] += 1
          if once { break }
        }
      }
    }
    for sender in senders { try sender.join() }
  }
}

/// This time is long enough to detect an unexpected event, but short because these rules run with every poller.
private let quiet = Duration.milliseconds(10)
