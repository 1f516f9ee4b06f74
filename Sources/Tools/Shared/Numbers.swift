extension Double {
  /// Formats the number with a fixed count of decimal places, rounding half away from zero. Returns "-" for NaN,
  /// infinity and numbers that are too large.
  public func fixed(_ digits: Int) -> String {
    guard isFinite, magnitude < 1e15 else { return "-" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (magnitude * scale).rounded()
    let whole = UInt64(scaled / scale)
    let sign = self < 0 && scaled != 0 ? "-" : ""
    if digits == 0 { return "\(sign)\(whole)" }
    let rest = String(UInt64(scaled) % UInt64(scale))
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
  }
}

extension BinaryInteger {
  /// The digits in groups of three: 12 345.
  public var grouped: String {
    var text = ""
    for (place, digit) in String(magnitude).reversed().enumerated() {
      if place > 0 && place % 3 == 0 { text.append(" ") }
      text.append(digit)
    }
    return (self < 0 ? "-" : "") + String(text.reversed())
  }
}
