public import SocketKitCore

/// The conformance rules of a poller combined with a stream transport: the guarantees that a server loop requires.
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
  ///   - name: the name of the combination in reports.
  ///   - configuration: the configuration of the pollers.
  ///   - makePair: creates two connected sockets on each call. May block, and may throw ``ConformanceUnavailable`` with
  ///     the cause.
  public init(
    _ name: String, configuration: P.Configuration = P.configuration(capacity: 64),
    makePair: @escaping @Sendable () throws -> SocketPair<S>
  ) {
    self.name = name
    self.configuration = configuration
    self.makePair = makePair
  }

  public var rules: [ConformanceRule] { readinessRules + serverRules + more }

  /// Creates a rule for a new poller and one connected pair.
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

extension PollerOverStreamSuite where S: Transport & Acceptable<Void> & ~Copyable, P: ~Copyable {
  /// Creates the suite for a transport that can listen and connect. The suite creates its pairs by listening and
  /// connecting, and additional rules test listening and connecting with the poller.
  ///
  /// - Parameters:
  ///   - configure: sets options on the listener and on the connecting socket of each pair, for example to disable
  ///     Nagle's algorithm.
  ///   - address: returns a new address to listen on for each call.
  public init(
    _ name: String, configuration: P.Configuration = P.configuration(capacity: 64),
    configure: @escaping @Sendable (borrowing S) throws -> Void = { _ in },
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
