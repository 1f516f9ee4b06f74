internal import SocketKitToolSupport

/// The minimum sample sizes for the results of a run. A number whose sample is too small is printed as "-".
enum Sample {
  /// The number of values that must lie beyond a percentile, so that no single value determines the percentile.
  static var beyond: UInt64 { 5 }
  /// The minimum duration of a run whose rate is reported, in nanoseconds.
  static var leastTime: Int64 { 5_000_000 }
  /// The minimum CPU time of a run whose CPU time is reported, in nanoseconds.
  static var leastCPU: Int64 { 1_000_000 }
  /// The minimum number of messages in a run whose number of system calls is reported. This number may lack one call at
  /// each end of the run.
  static var leastMessages: UInt64 { 100 }

  static func supports(_ share: Double, of count: UInt64) -> Bool {
    // The sum compensates for rounding: 1 - 0.9 is slightly less than a tenth.
    (1 - share) * Double(count) + 1e-6 >= Double(beyond)
  }

  static let notes = [
    "-: the run is too short for this number. A percentile needs \(beyond) messages beyond it: runs of 10 (p50), 50",
    "(p90), 500 (p99) or 5 000 (p99.9) messages. A rate needs 5 ms, cpu 1 ms, calls and events/wait 100 messages.",
  ]
}

extension Optional where Wrapped == Double {
  /// Formats the number; returns "-" for nil.
  func fixed(_ digits: Int) -> String { self.map { $0.fixed(digits) } ?? "-" }
  /// Formats the number with its digits in groups of three; returns "-" for nil.
  var grouped: String { self.map { Int($0).grouped } ?? "-" }
}

extension JSON {
  /// Whether the value contains null.
  var lacksANumber: Bool {
    switch self {
    case .null: true
    case .array(let elements): elements.contains(where: \.lacksANumber)
    case .object(let members): members.contains(where: \.value.lacksANumber)
    default: false
    }
  }

  /// Converts a number; nil becomes null.
  static func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
}

/// Returns the median of the numbers, or nil if any number is nil.
func median(_ numbers: [Double?]) -> Double? {
  let known = numbers.compactMap { $0 }
  return known.count == numbers.count ? Spread(known)?.median : nil
}
