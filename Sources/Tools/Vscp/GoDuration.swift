/// Parses and formats durations as Go does: `300ms`, `1.5h`, `2h45m`, `-5s`, `0`.
enum GoDuration {
  /// Returns nil for text that Go's time.ParseDuration rejects: a missing or unknown unit, or more than 292 years.
  static func parse(_ text: String) -> Duration? {
    var rest = Array(text.utf8)[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    if rest.elementsEqual("0".utf8) { return .zero }
    if rest.isEmpty { return nil }
    // Fractions are computed in floating point, as in Go's time.ParseDuration. The result is exact if the fraction is a
    // whole number of nanoseconds.
    let most: UInt64 = 1 << 63
    var total: UInt64 = 0
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
      guard let count = whole.isEmpty ? 0 : UInt64(String(decoding: whole, as: UTF8.self)), count <= most / scale else {
        return nil
      }
      // This sum does not overflow: it is at most 2⁶³ plus a fraction of an hour.
      let value = count * scale + part(of: scale, fraction)
      if value > most { return nil }
      let (sum, overflow) = total.addingReportingOverflow(value)
      if overflow || sum > most { return nil }
      total = sum
    }
    if total == most { return isNegative ? .nanoseconds(Int64.min) : nil }
    return .nanoseconds(isNegative ? -Int64(total) : Int64(total))
  }

  /// Converts the digits after a decimal point to nanoseconds, truncated to a whole number. Ignores digits that do not
  /// fit in 63 bits.
  private static func part(of unit: UInt64, _ digits: ArraySlice<UInt8>) -> UInt64 {
    var (number, divisor) = (UInt64(0), 1.0)
    for digit in digits {
      if number > (1 << 63 - 1) / 10 { break }
      let next = number * 10 + UInt64(digit - 48)
      if next > 1 << 63 { break }
      (number, divisor) = (next, divisor * 10)
    }
    return UInt64(Double(number) * (Double(unit) / divisor))
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
