/// The result of running a conformance rule.
public enum ConformanceOutcome: Hashable, Sendable {
  /// The conformer passes the test of the rule.
  case passed
  /// The conformer breaks the rule; the text describes the observed behaviour.
  case failed(evidence: String)
  /// The rule cannot be tested on this host; the text states the cause, for example that the kernel does not support
  /// the protocol or that a permission is missing.
  case unavailable(cause: String)

  /// Whether the conformer breaks the rule.
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

/// Thrown by a conformance rule that detects a violation. Any other error that a rule throws is a failure too.
public struct ConformanceFailure: Error, Hashable, Sendable {
  /// The observed and the expected behaviour.
  public let evidence: String
  /// Creates a failure with the observed and the expected behaviour.
  public init(_ evidence: String) { self.evidence = evidence }
}

/// Thrown by a conformance rule, or by the function that creates its sockets, when the rule cannot be tested on this
/// host.
public struct ConformanceUnavailable: Error, Hashable, Sendable {
  /// The missing feature or permission.
  public let cause: String
  /// Creates the error with the missing feature or permission.
  public init(_ cause: String) { self.cause = cause }
}
