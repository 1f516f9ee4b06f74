public import SocketKitCore

/// The rules of a poller and a stream transport together: what a server's loop relies on.
///
/// ```swift
/// let suite = PollerOverStreamSuite<EpollPoller, MySocket>("mine over epoll") { try MySocket.pair() }
/// ```
public struct PollerOverStreamSuite<P: Poller & ~Copyable, S: StreamSocket & ~Copyable>: ConformanceSuite {
  public let name: String
  let configuration: P.Configuration
  let makePair: @Sendable () throws -> SocketPair<S>
  private var more: [ConformanceRule] = []

  /// - Parameters:
  ///   - name: whose rules these are, for reports.
  ///   - configuration: what the pollers are made with.
  ///   - makePair: makes two sockets connected to each other, freshly each time. May block, and may throw
  ///     ``ConformanceUnavailable`` with the cause.
  public init(
    _ name: String, configuration: P.Configuration = P.configuration(capacity: 64),
    makePair: @escaping @Sendable () throws -> SocketPair<S>
  ) {
    self.name = name
    self.configuration = configuration
    self.makePair = makePair
  }

  public var rules: [ConformanceRule] { readinessRules + serverRules + more }

  /// A rule about a fresh poller and one connected pair.
  func rule(
    _ id: String, needs capabilities: SocketCapabilities = [], _ summary: String,
    _ body: @escaping @Sendable (inout P, Ends<S>) throws -> Void
  ) -> [ConformanceRule] {
    guard S.capabilities.isSuperset(of: capabilities) else { return [] }
    return [
      ConformanceRule("poller-stream.\(id)", summary) { [configuration, makePair] in
        var poller = try makePoller(P.self, configuration)
        try Ends(makePair).use { ends in try body(&poller, ends) }
      }
    ]
  }
}

extension PollerOverStreamSuite where S: ConnectionTransport & ~Copyable, P: ~Copyable {
  /// The same, for a transport that can listen and connect: pairs are made so, and listening and connecting under the
  /// poller have rules of their own.
  ///
  /// - Parameters:
  ///   - configure: sets options on listeners and connecting sockets of the pairs: against Nagle's algorithm, say.
  ///   - address: an address to listen on, a fresh one each time.
  public init(
    _ name: String, configuration: P.Configuration = P.configuration(capacity: 64),
    configure: @escaping @Sendable (borrowing S) throws(SocketError) -> Void = { (_) throws(SocketError) in },
    listeningOn address: @escaping @Sendable () throws -> S.Address
  ) {
    self.init(name, configuration: configuration) {
      let listener = try S.listen(on: try address(), configure: configure)
      let client = try S.connect(to: listener.localAddress(), until: .after(Times.limit), configure: configure)
      return SocketPair(client, try listener.accept(until: .after(Times.limit)))
    }
    more = connectionRules(address)
  }
}
