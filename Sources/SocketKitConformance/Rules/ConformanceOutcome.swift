/// What running a rule came to.
public enum ConformanceOutcome: Hashable, Sendable {
  /// The rule holds, as far as a test can see.
  case passed
  /// The rule is broken; the text says what was seen.
  case failed(evidence: String)
  /// The rule cannot be tried here; the text says why: a kernel without the protocol, a missing permission.
  case unavailable(cause: String)

  /// Whether the rule is broken.
  public var isFailure: Bool {
    if case .failed = self { true } else { false }
  }
}

extension ConformanceOutcome: CustomStringConvertible {
  public var description: String {
    switch self {
    case .passed: "passed"
    case .failed(let evidence): "FAILED: \(evidence)"
    case .unavailable(let cause): "unavailable: \(cause)"
    }
  }
}

/// Thrown by a rule that found itself broken. Any other error that a rule throws is a failure too.
public struct ConformanceFailure: Error, Hashable, Sendable {
  /// What was seen, and what was to be seen.
  public let evidence: String
  public init(_ evidence: String) { self.evidence = evidence }
}

/// Thrown by a rule, or by the function that makes its sockets, when this host cannot try the rule.
public struct ConformanceUnavailable: Error, Hashable, Sendable {
  /// What is missing.
  public let cause: String
  public init(_ cause: String) { self.cause = cause }
}
