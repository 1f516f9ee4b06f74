public import SocketKitCore

/// The conformance rules of a poller combined with a message transport.
///
/// ```swift
/// let suite = PollerOverMessageSuite<EpollPoller, MySocket>("mine over epoll", of: DatagramSuite("mine") { … })
/// ```
public struct PollerOverMessageSuite<P: Poller & ~Copyable, S: MessageSocket & ~Copyable>: ConformanceSuite {
  public let name: String
  let configuration: P.Configuration
  let messages: MessageRules<S>

  public var rules: [ConformanceRule] { readinessRules + modeRules + endingRules + countingRules }

  /// Creates a rule for a new poller and two new sockets.
  func rule(
    _ id: String, needs capabilities: SocketCapabilities = [], unless excluding: SocketCapabilities = [],
    given traits: MessageTraits = [], _ summary: String,
    _ body: @escaping @Sendable (inout P, MessageEnds<S>) throws -> Void
  ) -> [ConformanceRule] {
    guard S.capabilities.isSuperset(of: capabilities), S.capabilities.isDisjoint(with: excluding),
      messages.traits.isSuperset(of: traits)
    else { return [] }
    return [
      ConformanceRule("poller-message.\(id)", summary) { [configuration, messages] in
        var poller = try makePoller(P.self, configuration)
        try messages.makeEnds().use { ends in try body(&poller, ends) }
      }
    ]
  }
}

extension PollerOverMessageSuite where S: DatagramSocket & ~Copyable, P: ~Copyable {
  /// - Parameters:
  ///   - name: the name of the combination in reports.
  ///   - configuration: the configuration of the pollers.
  ///   - suite: creates the sockets.
  public init(
    _ name: String, configuration: P.Configuration = P.configuration(capacity: 64), of suite: DatagramSuite<S>
  ) {
    self.name = name
    self.configuration = configuration
    messages = suite.common
  }
}

extension PollerOverMessageSuite where S: SequencedPacketSocket & ~Copyable, P: ~Copyable {
  /// - Parameters:
  ///   - name: the name of the combination in reports.
  ///   - configuration: the configuration of the pollers.
  ///   - suite: creates the sockets.
  public init(
    _ name: String, configuration: P.Configuration = P.configuration(capacity: 64), of suite: SequencedPacketSuite<S>
  ) {
    self.name = name
    self.configuration = configuration
    messages = suite.common
  }
}
