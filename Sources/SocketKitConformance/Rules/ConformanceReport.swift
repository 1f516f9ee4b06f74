/// The outcomes of many rules: a table for people and a verdict for scripts.
public struct ConformanceReport: Sendable {
  /// One rule's outcome.
  public struct Line: Sendable {
    /// The suite that the rule was run in.
    public let suite: String
    public let rule: ConformanceRule
    public let outcome: ConformanceOutcome
    public let duration: Duration
  }

  /// In the order in which they were run.
  public private(set) var lines: [Line] = []
  /// Ids of rules that may be unavailable, or whole prefixes such as `stream.` or `""` for all.
  public let allowedUnavailable: [String]

  /// - Parameter allowedUnavailable: required rules whose ids begin so may be unavailable without failing the whole.
  public init(allowingUnavailable allowedUnavailable: [String] = []) {
    self.allowedUnavailable = allowedUnavailable
  }

  /// Runs one rule and notes its outcome. Blocks until it has ended.
  @discardableResult
  public mutating func run(_ rule: ConformanceRule, suite: String = "") -> ConformanceOutcome {
    let clock = ContinuousClock()
    let start = clock.now
    let outcome = rule.run()
    lines.append(Line(suite: suite, rule: rule, outcome: outcome, duration: clock.now - start))
    return outcome
  }

  /// Runs the rules of a suite, one after the other.
  /// - Parameters:
  ///   - selection: which rules to run; all of them by default.
  ///   - progress: called after each rule with its line.
  public mutating func run(
    _ suite: some ConformanceSuite, where selection: (ConformanceRule) -> Bool = { _ in true },
    progress: (Line) -> Void = { _ in }
  ) {
    for rule in suite.rules where selection(rule) {
      run(rule, suite: suite.name)
      if let line = lines.last { progress(line) }
    }
  }

  /// Whether a line fails the whole: a broken rule that is not optional, or a required one that could not be tried and
  /// was not allowed to be.
  public func isFatal(_ line: Line) -> Bool {
    switch line.outcome {
    case .passed: false
    case .failed: line.rule.strength != .optional
    case .unavailable: line.rule.strength == .required && !allowedUnavailable.contains { line.rule.id.hasPrefix($0) }
    }
  }

  /// Whether no line is fatal.
  public var isSuccess: Bool { !lines.contains { isFatal($0) } }
  /// 0 when nothing fails the whole, 1 otherwise: for `exit`.
  public var exitCode: Int32 { isSuccess ? 0 : 1 }

  /// How many passed, failed and were unavailable.
  public var summary: String {
    var passed = 0
    var failed = 0
    var unavailable = 0
    for line in lines {
      switch line.outcome {
      case .passed: passed += 1
      case .failed: failed += 1
      case .unavailable: unavailable += 1
      }
    }
    return "\(passed) passed, \(failed) failed, \(unavailable) unavailable"
  }

  /// One line for each rule, under its suite's name: its id, how it binds, how long it took and what it came to. The
  /// summary is at the end.
  public var table: String {
    func padded(_ text: String, to width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    let width = lines.map(\.rule.id.count).max() ?? 0
    var text = ""
    var suite: String?
    for line in lines {
      if line.suite != suite {
        text += "\(line.suite)\n"
        suite = line.suite
      }
      let time = "\(Int(line.duration / .milliseconds(1))) ms"
      let id = padded(line.rule.id, to: width)
      let space = String(repeating: " ", count: max(0, 8 - time.count))
      text += "  \(id)  \(padded(line.rule.strength.rawValue, to: 10))\(space)\(time)  \(line.outcome)\n"
    }
    return text + summary + "\n"
  }
}

extension ConformanceReport: CustomStringConvertible {
  /// The ``table``.
  public var description: String { table }
}
