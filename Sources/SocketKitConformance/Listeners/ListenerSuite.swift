public import SocketKitCore

/// The conformance rules for listening, accepting and connecting.
///
/// ```swift
/// let suite = ListenerSuite("mine") { try MySocket.listen(on: address) } connect: {
///   try MySocket.connect(to: $0, until: .after(.seconds(5)))
/// }
/// ```
public struct ListenerSuite<S: Acceptable & ~Copyable>: ConformanceSuite {
  public let name: String
  let listen: @Sendable () throws -> Listener<S>
  let connect: @Sendable (S.Address) throws -> S

  /// - Parameters:
  ///   - name: the name of the transport in reports.
  ///   - listen: creates a new listener for each rule, on an otherwise unused address, with a backlog of at least 128
  ///     connections. May throw ``ConformanceUnavailable`` with the cause.
  ///   - connect: connects to a listener's address. Must time out after a few seconds.
  public init(
    _ name: String, listen: @escaping @Sendable () throws -> Listener<S>,
    connect: @escaping @Sendable (S.Address) throws -> S
  ) {
    self.name = name
    self.listen = listen
    self.connect = connect
  }

  public var rules: [ConformanceRule] { acceptRules + waitRules + failureRules + shutdownRules }

  func rule(
    _ id: String, strength: ConformanceRule.Strength = .required, _ summary: String,
    _ body: @escaping @Sendable (Listening<S>) throws -> Void
  ) -> [ConformanceRule] {
    let make = { @Sendable [listen, connect] in Listening(Shared(try listen()), connect) }
    return [
      ConformanceRule("listener.\(id)", strength: strength, summary) {
        let listening = try make()
        try body(listening)
        listening.listener.close()
      }
    ]
  }
}

/// A listener and a function that connects to it, for use by several threads.
struct Listening<S: Acceptable & ~Copyable>: Sendable {
  let listener: Shared<Listener<S>>
  private let connector: @Sendable (S.Address) throws -> S

  init(_ listener: Shared<Listener<S>>, _ connector: @escaping @Sendable (S.Address) throws -> S) {
    self.listener = listener
    self.connector = connector
  }

  func connect() throws -> S { try connector(try listener.value.localAddress()) }
  func connect(to address: S.Address) throws -> S { try connector(address) }

  func accept(within duration: Duration = Times.limit) throws -> S {
    try listener.value.accept(until: .after(duration))
  }

  /// Throws if a connection is waiting to be accepted.
  func requireNobody(_ when: String) throws {
    if try listener.value.accept() != nil { throw ConformanceFailure("a connection was accepted \(when)") }
  }
}
