internal import SocketKitCore

/// The conformance rules that datagrams and sequenced packets share.
struct MessageRules<S: MessageSocket & ~Copyable>: Sendable {
  /// The prefix of the rule ids.
  let prefix: String
  let traits: MessageTraits
  let calls: MessageCalls<S>
  let makePair: @Sendable () throws -> SocketPair<S>

  var all: [ConformanceRule] {
    boundaryRules + continuationRules + severalBufferRules + receiveRules + peekRules + sendRules + batchRules
      + batchEdgeRules + ancillaryRules + passedDescriptorRules + deadlineRules + cancelRules + signalRules
      + threadRules + descriptorRules
      + sleepRules + shutdownRules
  }

  func makeEnds() throws -> MessageEnds<S> {
    try MessageEnds(makePair(), calls, connected: traits.contains(.connected))
  }

  /// Creates a rule for two new sockets. The rule is omitted if a required trait or capability is missing, or if an
  /// excluded trait or capability is present.
  func rule(
    _ id: String, strength: ConformanceRule.Strength = .required, needs capabilities: SocketCapabilities = [],
    unless excluding: SocketCapabilities = [], given needed: MessageTraits = [], without spared: MessageTraits = [],
    _ summary: String, _ body: @escaping @Sendable (MessageEnds<S>) throws -> Void
  ) -> [ConformanceRule] {
    guard S.capabilities.isSuperset(of: capabilities), S.capabilities.isDisjoint(with: excluding),
      traits.isSuperset(of: needed), traits.isDisjoint(with: spared)
    else { return [] }
    return [
      ConformanceRule("\(prefix).\(id)", strength: strength, summary) { try makeEnds().use(body) }
    ]
  }
}
