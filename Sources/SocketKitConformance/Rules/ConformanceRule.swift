internal import SocketKitCore

/// A requirement for every transport or every poller: an id, a summary, and a test.
///
/// A rule reports only faults that exist, but it may miss a fault. Each rule runs on its own thread under a time limit,
/// so that a hang is a failure. The kit compares the open descriptors of the process before and after the rule, so that
/// a leak is a failure too. Only one rule runs at a time in the whole process, even if a test runner runs suites in
/// parallel. Other code must not open descriptors while a rule runs, because this would invalidate the comparison.
public struct ConformanceRule: Sendable {
  /// The strength of a rule: the effect of a violation.
  public enum Strength: String, Hashable, Sendable {
    /// Every conformer must satisfy the rule.
    case required
    /// Conformers should satisfy the rule; a violation is reported but is not a failure.
    case optional
    /// The rule depends on times that a busy host may affect. The rule is run up to three times and must pass once.
    case stochastic
  }

  /// The name of the rule, such as `stream.read.end-of-stream`. Ids do not change between versions, so reports and
  /// lists of exceptions can refer to them.
  public let id: String
  /// The strength of the rule.
  public let strength: Strength
  /// The requirement in one sentence.
  public let summary: String
  /// The time limit for one attempt.
  public let timeLimit: Duration
  private let body: @Sendable () throws -> Void

  /// Creates a rule.
  /// - Parameter body: returns normally if the requirement is satisfied. Throws ``ConformanceUnavailable`` if the
  ///   requirement cannot be tested. Throws ``ConformanceFailure`` with evidence, or any other error, if the
  ///   requirement is not satisfied. Runs on a separate thread and may block.
  public init(
    _ id: String, strength: Strength = .required, _ summary: String, timeLimit: Duration = .seconds(20),
    body: @escaping @Sendable () throws -> Void
  ) {
    self.id = id
    self.strength = strength
    self.summary = summary
    self.timeLimit = timeLimit
    self.body = body
  }

  /// Runs the rule. Blocks the calling thread until no other rule is running in this process, and then until the
  /// outcome is known or the time limit has passed. The body of a rule must not run another rule.
  ///
  /// - Parameter timeLimit: replaces the rule's own limit. A rule that exceeds the limit fails, and its thread
  ///   continues to run.
  public func run(timeLimit: Duration? = nil) -> ConformanceOutcome { Self.turn.take { tries(timeLimit) } }

  private static let turn = Turn()

  private func tries(_ timeLimit: Duration?) -> ConformanceOutcome {
    Haste.beginTurn()
    var outcome = tryOnce(timeLimit ?? self.timeLimit * SlowHost.factor)
    var more = strength == .stochastic ? 2 : 0
    while outcome.isFailure && more > 0 {
      outcome = tryOnce(timeLimit ?? self.timeLimit * SlowHost.factor)
      more -= 1
    }
    return outcome
  }

  private func tryOnce(_ limit: Duration) -> ConformanceOutcome {
    let before = Set(openDescriptors())
    let body = body
    let thread = RuleThread { () -> ConformanceOutcome in
      do {
        try body()
        return .passed
      } catch let error as ConformanceUnavailable {
        return .unavailable(cause: error.cause)
      } catch let error as ConformanceFailure {
        return .failed(evidence: error.evidence)
      } catch {
        return .failed(evidence: "unexpected error: \(error)")
      }
    }
    guard let result = thread.result(within: limit) else {
      return .failed(evidence: "the rule did not end within \(limit)")
    }
    guard case .success(.passed) = result else {
      return (try? result.get()) ?? .failed(evidence: "the rule had no outcome")
    }
    return leaked(since: before).map { .failed(evidence: $0) } ?? .passed
  }

  /// Describes the descriptors that are open now and were not open before; returns nil if there are none. Checks
  /// repeatedly for up to 500 ms, because a thread may still be closing its last descriptor.
  private func leaked(since before: Set<Int32>) -> String? {
    let deadline = Deadline.after(.milliseconds(500))
    while true {
      let more = openDescriptors().filter { !before.contains($0) }
      if more.isEmpty { return nil }
      if deadline.hasPassed { return "left open: " + more.map { describeDescriptor($0) }.joined(separator: ", ") }
      pause(.milliseconds(5))
    }
  }
}

extension ConformanceRule: CustomStringConvertible {
  /// The id of the rule.
  public var description: String { id }
}

/// A set of related rules for one conformer.
public protocol ConformanceSuite: Sendable {
  /// The name of the conformer, such as `TCP over IPv4`.
  var name: String { get }
  /// The rules in the recommended order, starting with simple rules.
  var rules: [ConformanceRule] { get }
}
