public import SocketKitCore

/// The conformance rules of a poller, run with plain local sockets.
///
/// ```swift
/// let suite = PollerSuite<MyPoller>("mine")
/// ```
/// Rules that require a capability do nothing for a poller that lacks it. Such a poller must reject the corresponding
/// mode.
public struct PollerSuite<P: Poller & ~Copyable>: ConformanceSuite {
  public let name: String
  let configuration: P.Configuration

  /// - Parameters:
  ///   - name: the name of the poller in reports.
  ///   - configuration: the configuration of the pollers. If the poller's initializer throws `.notSupported` or
  ///     `.permissionDenied`, the rules are unavailable.
  public init(_ name: String, configuration: P.Configuration = P.configuration(capacity: 64)) {
    self.name = name
    self.configuration = configuration
  }

  public var rules: [ConformanceRule] {
    reportingRules + conditionRules + crowdRules + registrationRules + modeRules + wakeRules + cancelRules
      + deadlineRules + idleRules + descriptorRules
  }

  /// Creates a rule for a new poller.
  func rule(
    _ id: String, strength: ConformanceRule.Strength = .required, _ summary: String,
    _ body: @escaping @Sendable (inout P) throws -> Void
  ) -> [ConformanceRule] {
    let configuration = configuration
    return [
      ConformanceRule("poller.\(id)", strength: strength, summary) {
        var poller = try makePoller(P.self, configuration)
        try body(&poller)
      }
    ]
  }
}

/// Creates a poller, or throws ``ConformanceUnavailable`` if this kernel does not support it.
func makePoller<P: Poller & ~Copyable>(_ type: P.Type, _ configuration: P.Configuration) throws -> P {
  do throws(SocketError) {
    return try P(configuration)
  } catch {
    if error.code == .notSupported || error.code == .permissionDenied { throw ConformanceUnavailable("\(error)") }
    throw error
  }
}

extension Poller where Self: ~Copyable {
  /// Returns the events of one wait.
  mutating func events(within duration: Duration) throws -> [Event] {
    let count = try wait(until: .after(duration))
    try require(count >= 0, "a wait returned \(count) events")
    return (0..<count).map { self[event: $0] }
  }

  /// Waits until the poller reports the token with all of the given readiness. Fails if the poller reports another
  /// token.
  @discardableResult
  mutating func requireEvent(_ token: Token, _ readiness: Readiness, _ when: String) throws -> Readiness {
    let deadline = Deadline.after(Times.patience)
    while !deadline.hasPassed {
      for event in try events(within: Times.patience) {
        try requireEqual(event.token, token, "the token of an event \(when)")
        if event.readiness.isSuperset(of: readiness) { return event.readiness }
      }
    }
    throw ConformanceFailure("no event with \(readiness) \(when)")
  }

  /// Returns all events reported within the duration; fails if 10000 waits end within the duration.
  mutating func allEvents(for duration: Duration) throws -> [Event] {
    let deadline = Deadline.after(duration)
    var all: [Event] = []
    var waits = 0
    while !deadline.hasPassed {
      let count = try wait(until: deadline)
      for index in 0..<count { all.append(self[event: index]) }
      waits += 1
      try require(waits < 10_000, "10000 waits ended within \(duration), with \(all.count) events")
    }
    return all
  }

  /// Waits once, and requires that this wait ends at its deadline with no events.
  mutating func requireQuiet(for duration: Duration = Times.quiet, _ when: String) throws {
    let watch = Stopwatch()
    let events = try events(within: duration)
    try require(events.isEmpty, "an event \(when): \(events)")
    try watch.require(from: duration, "a wait \(when)")
    try require(!wasWoken, "a wake-up without a call of `wake`, \(when)")
  }
}
