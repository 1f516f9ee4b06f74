public import SocketKitCore

/// The rules of listening, accepting and connecting.
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
  ///   - name: whose rules these are, for reports.
  ///   - listen: makes a listener, freshly for each rule, on an address that nobody else uses, with room for at least 128
  ///     connections that wait. May throw ``ConformanceUnavailable`` with the cause.
  ///   - connect: connects to a listener's address; must give up after some seconds.
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

/// A listener and how to connect to it, for several threads.
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

  /// Throws unless nobody waits to be accepted.
  func requireNobody(_ when: String) throws {
    if try listener.value.accept() != nil { throw ConformanceFailure("somebody was accepted \(when)") }
  }
}
