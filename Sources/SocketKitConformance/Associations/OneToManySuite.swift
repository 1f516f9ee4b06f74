public import SocketKitCore

/// The conformance rules of sockets with several peers. The suite runs the rules with a server and several clients.
///
/// ```swift
/// let suite = OneToManySuite<MySocket>("mine") { try MySocket.listen(on: .loopback(port: 0)) }
/// ```
public struct OneToManySuite<S: OneToManySocket & ~Copyable>: ConformanceSuite {
  public let name: String
  let traits: MessageTraits
  let makeSocket: @Sendable () throws -> S
  /// Attempts to send a message without a destination; nil if the type cannot send without a destination.
  let sendNowhere: (@Sendable (Shared<S>) -> IOResult)?

  /// - Parameters:
  ///   - name: the name of the transport in reports.
  ///   - traits: the traits of the sockets. The traits `.lossless` and `.unpeekable` add or skip rules.
  ///   - makeSocket: creates a socket that is bound to an unused address, accepts associations and reports their ends.
  ///     Its buffers must hold at least 160 messages of 100 bytes, or at least ten such messages if the socket is
  ///     `.lossless`. May throw ``ConformanceUnavailable`` with the cause.
  public init(_ name: String, _ traits: MessageTraits = [], makeSocket: @escaping @Sendable () throws -> S) {
    self.name = name
    self.traits = traits
    self.makeSocket = makeSocket
    sendNowhere = nil
  }

  public var rules: [ConformanceRule] {
    transferRules + receiveRules + shutdownRules + abortRules + endRules + waitRules + roomRules
  }

  /// Creates a rule for a new server and clients that have associations with it.
  func rule(
    _ id: String, clients: Int = 3, given needed: MessageTraits = [], without spared: MessageTraits = [],
    _ summary: String, _ body: @escaping @Sendable (Associations<S>) throws -> Void
  ) -> [ConformanceRule] {
    guard traits.isSuperset(of: needed), traits.isDisjoint(with: spared) else { return [] }
    return [
      ConformanceRule("association.\(id)", summary) { [makeSocket] in
        let associations = try Associations(clients: clients, makeSocket)
        try body(associations)
        associations.close()
      }
    ]
  }
}

extension OneToManySuite where S: MessageSocket & ~Copyable {
  /// Creates the suite for a socket that also conforms to ``/SocketKitCore/MessageSocket``. An additional rule tests
  /// messages without a destination.
  public init(_ name: String, _ traits: MessageTraits = [], makeSocket: @escaping @Sendable () throws -> S) {
    self.name = name
    self.traits = traits
    self.makeSocket = makeSocket
    sendNowhere = { socket in
      let bytes: [UInt8] = [7]
      return socket.value.attemptSend(bytes.span, ancillary: RawSpan(), to: RawSpan(), flags: [])
    }
  }
}
