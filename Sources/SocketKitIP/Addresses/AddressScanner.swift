/// Parses the text forms of IP addresses from UTF-8 bytes. Each method that succeeds advances the position past the
/// bytes that it has read.
struct AddressScanner {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { position == bytes.count }
  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func take(_ character: Character) -> Bool {
    guard next == character.asciiValue else { return false }
    position += 1
    return true
  }

  /// Reads a decimal number up to `limit`, with at least one digit and no leading zero.
  mutating func decimal(upTo limit: Int) -> Int? {
    let start = position
    var value = 0
    while let digit = next, digit >= 48 && digit <= 57 {
      value = value * 10 + Int(digit - 48)
      if value > limit { return nil }
      position += 1
    }
    let count = position - start
    return count == 0 || (count > 1 && bytes[start] == 48) ? nil : value
  }

  mutating func ipv4() -> IPv4Address? {
    var bits: UInt32 = 0
    for index in 0..<4 {
      if index > 0 && !take(".") { return nil }
      guard let number = decimal(upTo: 255) else { return nil }
      bits = bits << 8 | UInt32(number)
    }
    return IPv4Address(bits: bits)
  }

  mutating func ipv6() -> IPv6Address? {
    // The groups before `::` and the groups after it.
    var head: [UInt16] = []
    var tail: [UInt16] = []
    var hasGap = false
    if take(":") {
      guard take(":") else { return nil }
      hasGap = true
    }
    var groupMustFollow = !hasGap
    while head.count + tail.count < 8 {
      let start = position
      guard let group = hexGroup() else {
        if groupMustFollow { return nil }
        break
      }
      var groups = [group]
      let isDotted = next == UInt8(ascii: ".")
      if isDotted {
        position = start
        guard let dotted = ipv4() else { return nil }
        groups = [UInt16(truncatingIfNeeded: dotted.bits >> 16), UInt16(truncatingIfNeeded: dotted.bits)]
      }
      if hasGap { tail += groups } else { head += groups }
      groupMustFollow = false
      if isDotted || head.count + tail.count == 8 || !take(":") { break }
      if take(":") {
        if hasGap { return nil }
        hasGap = true
      } else {
        groupMustFollow = true
      }
    }
    guard !groupMustFollow, hasGap ? head.count + tail.count <= 7 : head.count == 8 else { return nil }
    let words = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    let halves = [words.prefix(4), words.suffix(4)].map { $0.reduce(0) { $0 << 16 | UInt64($1) } }
    return IPv6Address(high: halves[0], low: halves[1])
  }

  /// Reads one to four hexadecimal digits.
  private mutating func hexGroup() -> UInt16? {
    var value: UInt16 = 0
    var count = 0
    while count < 4, let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue {
      value = value << 4 | UInt16(digit)
      position += 1
      count += 1
    }
    return count == 0 ? nil : value
  }

  /// Reads the text up to the next character that is in `stops`, or up to the end if there is none. Returns nil if this
  /// text is empty.
  mutating func text(upTo stops: String) -> String? {
    let start = position
    while let byte = next, !stops.utf8.contains(byte) { position += 1 }
    return position == start ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
  }
}
