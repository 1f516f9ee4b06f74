/// The outcomes of several rules, as a printable table and as an exit status for scripts.
public struct ConformanceReport: Sendable {
  /// The outcome of one rule.
  public struct Line: Sendable {
    /// The name of the suite that contains the rule.
    public let suite: String
    /// The rule.
    public let rule: ConformanceRule
    /// The outcome of the rule.
    public let outcome: ConformanceOutcome
    /// The time that the rule took, including the time that it waited for other rules of the process.
    public let duration: Duration
  }

  /// The outcomes in the order in which the rules were run.
  public private(set) var lines: [Line] = []
  /// The ids, or prefixes of ids such as `stream.`, of the rules that are allowed to be unavailable; the prefix `""`
  /// allows all rules.
  public let allowedUnavailable: [String]

  /// - Parameter allowedUnavailable: the prefixes of the ids of required rules that are allowed to be unavailable. An
  ///   unavailable rule with such an id does not make the report a failure.
  public init(allowingUnavailable allowedUnavailable: [String] = []) {
    self.allowedUnavailable = allowedUnavailable
  }

  /// Runs one rule and records its outcome. Blocks until the rule has ended.
  @discardableResult
  public mutating func run(_ rule: ConformanceRule, suite: String = "") -> ConformanceOutcome {
    let clock = ContinuousClock()
    let start = clock.now
    let outcome = rule.run()
    lines.append(Line(suite: suite, rule: rule, outcome: outcome, duration: clock.now - start))
    return outcome
  }

  /// Runs the rules of a suite in sequence.
  /// - Parameters:
  ///   - selection: the rules to run; the default is all of them.
  ///   - progress: a function that is called after each rule, with the line of this rule.
  public mutating func run(
    _ suite: some ConformanceSuite, where selection: (ConformanceRule) -> Bool = { _ in true },
    progress: (Line) -> Void = { _ in }
  ) {
    for rule in suite.rules where selection(rule) {
      run(rule, suite: suite.name)
      if let line = lines.last { progress(line) }
    }
  }

  /// Returns whether a line makes the whole report a failure. This is the case if its rule is broken and not optional,
  /// or if its rule is required and unavailable and ``allowedUnavailable`` does not allow this.
  public func isFatal(_ line: Line) -> Bool {
    switch line.outcome {
    case .passed: false
    case .failed: line.rule.strength != .optional
    case .unavailable: line.rule.strength == .required && !allowedUnavailable.contains { line.rule.id.hasPrefix($0) }
    }
  }

  /// True if no line makes the report a failure.
  public var isSuccess: Bool { !lines.contains { isFatal($0) } }
  /// The exit status for `exit`: 0 if no line makes the report a failure, otherwise 1.
  public var exitCode: Int32 { isSuccess ? 0 : 1 }

  /// The numbers of rules that passed, failed and were unavailable.
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

  /// One line for each rule, with its id, strength, duration and outcome. The lines are grouped by suite, and the
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
  /// The same as ``table``.
  public var description: String { table }
}
