/// Durations as Go writes and reads them: `300ms`, `1.5h`, `2h45m`, `-5s`, `0`.
enum GoDuration {
  /// nil for what Go's time.ParseDuration refuses: no unit, an unknown one, or more than 292 years.
  static func parse(_ text: String) -> Duration? {
    var rest = Array(text.utf8)[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    if rest.elementsEqual("0".utf8) { return .zero }
    if rest.isEmpty { return nil }
    var nanoseconds = 0.0
    var exact: UInt64 = 0
    while !rest.isEmpty {
      let whole = rest.prefix { isDigit($0) }
      rest = rest.dropFirst(whole.count)
      var fraction = rest.prefix(0)
      if rest.first == UInt8(ascii: ".") {
        fraction = rest.dropFirst().prefix { isDigit($0) }
        rest = rest.dropFirst(fraction.count + 1)
      }
      if whole.isEmpty && fraction.isEmpty { return nil }
      let unit = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
      rest = rest.dropFirst(unit.count)
      guard let scale = scale(of: String(decoding: unit, as: UTF8.self)) else { return nil }
      guard let count = whole.isEmpty ? 0 : UInt64(String(decoding: whole, as: UTF8.self)) else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: scale)
      let part = fraction.isEmpty ? 0 : Double("0." + String(decoding: fraction, as: UTF8.self)) ?? 0
      let (sum, tooLong) = exact.addingReportingOverflow(product)
      nanoseconds += part * Double(scale)
      if overflow || tooLong || sum > UInt64(Int64.max) || nanoseconds > 1e18 { return nil }
      exact = sum
    }
    let (total, overflow) = Int64(exact).addingReportingOverflow(Int64(nanoseconds))
    if overflow { return nil }
    return .nanoseconds(isNegative ? -total : total)
  }

  private static func scale(of unit: String) -> UInt64? {
    switch unit {
    case "ns": 1
    case "us", "µs", "μs": 1000
    case "ms": 1_000_000
    case "s": 1_000_000_000
    case "m": 60_000_000_000
    case "h": 3_600_000_000_000
    default: nil
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}
