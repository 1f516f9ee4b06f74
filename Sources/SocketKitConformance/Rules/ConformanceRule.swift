internal import SocketKitCore

/// One thing that every transport, or every poller, must do: an id, a sentence, and a way to try it.
///
/// A rule finds no fault where there is none, but may miss one. Each runs on a thread of its own under a time limit, so
/// that a hang is a failure, and with this process's descriptors counted before and after, so that a leak is one too.
/// Rules take turns in the whole process, also those of suites that a test runner runs in parallel. Other code must not
/// open descriptors meanwhile: a count means nothing then.
public struct ConformanceRule: Sendable {
  /// How a rule binds.
  public enum Strength: String, Hashable, Sendable {
    /// Every conformer keeps it.
    case required
    /// A conformer does well to keep it; breaking it is reported, and fails nothing.
    case optional
    /// It depends on times that a busy host may spoil: it is tried up to three times, and one success is enough.
    case stochastic
  }

  /// The rule's name, such as `stream.read.end-of-stream`: stable, so that reports and exceptions can name it.
  public let id: String
  public let strength: Strength
  /// What must hold, in a sentence.
  public let summary: String
  /// How long one try may take.
  public let timeLimit: Duration
  private let body: @Sendable () throws -> Void

  /// Makes a rule.
  /// - Parameter body: returns when the rule holds, and throws otherwise: ``ConformanceUnavailable`` when it cannot be
  ///   tried, ``ConformanceFailure`` with evidence or any other error when it is broken. Runs on a thread of its own and
  ///   may block.
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

  /// Tries the rule. Blocks the calling thread until no other rule is being tried in this process, and then until the
  /// outcome is known or the time limit has passed. A rule's body must not run another rule.
  ///
  /// - Parameter timeLimit: instead of the rule's own. A rule that exceeds it is a failure, and its thread is left behind.
  public func run(timeLimit: Duration? = nil) -> ConformanceOutcome { Self.turn.take { tries(timeLimit) } }

  private static let turn = Turn()

  private func tries(_ timeLimit: Duration?) -> ConformanceOutcome {
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
      return .failed(evidence: "did not end within \(limit)")
    }
    guard case .success(.passed) = result else { return (try? result.get()) ?? .failed(evidence: "no outcome") }
    return leaked(since: before).map { .failed(evidence: $0) } ?? .passed
  }

  /// Descriptors that are open now and were not before; looked for again for a while, because a thread may still be
  /// closing its last one.
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
  /// The id.
  public var description: String { id }
}

/// Rules that belong together, for one conformer.
public protocol ConformanceSuite: Sendable {
  /// Whose rules these are, such as `TCP over IPv4`.
  var name: String { get }
  /// The rules, in the order in which they are best run: simple ones first.
  var rules: [ConformanceRule] { get }
}
