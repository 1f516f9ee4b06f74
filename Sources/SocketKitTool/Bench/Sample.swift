internal import SocketKitToolSupport

/// What a run must have for each of its numbers. What it is too short for is printed as "-".
enum Sample {
  /// Values that must lie beyond a percentile, or a single one decides it.
  static var beyond: UInt64 { 5 }
  /// Nanoseconds of a run that a rate is made of.
  static var leastTime: Int64 { 5_000_000 }
  /// Nanoseconds of CPU time.
  static var leastCPU: Int64 { 1_000_000 }
  /// Messages for a number of calls: the run's edges may cut off a call each.
  static var leastMessages: UInt64 { 100 }

  static func supports(_ share: Double, of count: UInt64) -> Bool {
    // 1 - 0.999 is a little less than a thousandth.
    (1 - share) * Double(count) + 1e-6 >= Double(beyond)
  }

  static let notes = [
    "-: the run is too short for this number. A percentile needs \(beyond) messages beyond it (p50 10, p90 50, p99",
    "500, p99.9 5 000 messages in a run), a rate 5 ms, cpu 1 ms of it, calls and events/wait 100 messages.",
  ]
}

extension Optional where Wrapped == Double {
  /// "-" for none.
  func fixed(_ digits: Int) -> String { self.map { $0.fixed(digits) } ?? "-" }
  /// In groups of three digits, "-" for none.
  var grouped: String { self.map { Int($0).grouped } ?? "-" }
}

extension JSON {
  /// Whether null stands in it.
  var lacksANumber: Bool {
    switch self {
    case .null: true
    case .array(let elements): elements.contains(where: \.lacksANumber)
    case .object(let members): members.contains(where: \.value.lacksANumber)
    default: false
    }
  }

  /// null for none.
  static func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
}

/// The median of what all runs have; nil when a run lacks it.
func median(_ numbers: [Double?]) -> Double? {
  let known = numbers.compactMap { $0 }
  return known.count == numbers.count ? Spread(known)?.median : nil
}
