/// Parses a command line as Go's package flag does: `-name value` or `-name=value`, with one dash or two. A boolean
/// flag has no value, or a value after `=`. The first argument that is not a flag ends the flags, and so does `--`.
struct GoFlags {
  enum Kind { case boolean, unsigned, duration, text }

  struct Flag {
    let name: String
    let kind: Kind
    let usage: String
  }

  /// A parse error, with Go's message.
  struct Wrong: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = text }
  }

  private(set) var booleans: [String: Bool] = [:]
  private(set) var numbers: [String: UInt64] = [:]
  private(set) var durations: [String: Duration] = [:]
  private(set) var texts: [String: Word] = [:]
  /// The arguments after the flags.
  private(set) var operands: [Word] = []

  init(_ words: [Word], flags: [Flag]) throws(Wrong) {
    let (dash, equalSign) = (UInt8(ascii: "-"), UInt8(ascii: "="))
    var rest = words[...]
    while let word = rest.first, word.bytes.first == dash, word != "-" {
      rest = rest.dropFirst()
      if word == "--" { break }
      let body = word.bytes.dropFirst(word.bytes.starts(with: [dash, dash]) ? 2 : 1)
      guard let first = body.first, first != dash, first != equalSign else { throw Wrong("bad flag syntax: \(word)") }
      let equals = body.firstIndex(of: equalSign)
      let name = Word(body[..<(equals ?? body.endIndex)])
      guard let flag = flags.first(where: { Word($0.name) == name }) else {
        throw Wrong("flag provided but not defined: -\(name)")
      }
      var value = equals.map { Word(body[$0...].dropFirst()) }
      if value == nil {
        if flag.kind == .boolean {
          value = "true"
        } else {
          guard let next = rest.popFirst() else { throw Wrong("flag needs an argument: -\(name)") }
          value = next
        }
      }
      try set(flag, to: value ?? "")
    }
    operands = Array(rest)
  }

  private mutating func set(_ flag: Flag, to word: Word) throws(Wrong) {
    let value = word.text
    func invalid(_ reason: String) -> Wrong {
      let what = flag.kind == .boolean ? "invalid boolean value" : "invalid value"
      let preposition = flag.kind == .boolean ? "for" : "for flag"
      return Wrong("\(what) \(goQuoted(word.bytes)) \(preposition) -\(flag.name): \(reason)")
    }
    switch flag.kind {
    case .boolean:
      switch value {
      case "1", "t", "T", "true", "TRUE", "True": booleans[flag.name] = true
      case "0", "f", "F", "false", "FALSE", "False": booleans[flag.name] = false
      default: throw invalid("parse error")
      }
    case .unsigned:
      guard let number = Self.unsigned(value) else {
        let isNumber = !value.isEmpty && value.utf8.allSatisfy { (48...57).contains($0) }
        throw invalid(isNumber ? "value out of range" : "parse error")
      }
      numbers[flag.name] = number
    case .duration:
      guard let duration = GoDuration.parse(value) else { throw invalid("parse error") }
      durations[flag.name] = duration
    case .text: texts[flag.name] = word
    }
  }

  /// Parses an integer as strconv.ParseUint does with base 0: decimal, hexadecimal (0x), octal (0o or a leading 0) or
  /// binary (0b), with underscores between digits.
  private static func unsigned(_ text: String) -> UInt64? {
    guard text.first != "+", text.first != "-" else { return nil }
    let small = text.lowercased()
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where small.hasPrefix(prefix) {
      return digits(small.dropFirst(2), radix)
    }
    return small.count > 1 && small.hasPrefix("0") ? digits(small.dropFirst(), 8) : digits(small[...], 10)
  }

  private static func digits(_ text: Substring, _ radix: Int) -> UInt64? {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard let first = text.first, first != "+", first != "-", parts.dropFirst().allSatisfy({ !$0.isEmpty }) else {
      return nil
    }
    return UInt64(parts.joined(), radix: radix)
  }

  /// Returns the output of flag.PrintDefaults: the flags sorted by name, each usage text preceded by a tab.
  static func defaults(_ flags: [Flag]) -> String {
    var text = ""
    for flag in flags.sorted(by: { $0.name < $1.name }) {
      text += "  -\(flag.name)"
      switch flag.kind {
      case .boolean: break
      case .unsigned: text += " uint"
      case .duration: text += " duration"
      case .text: text += " string"
      }
      text += flag.kind == .boolean && flag.name.utf8.count == 1 ? "\t" : "\n    \t"
      text += flag.usage.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    \t") + "\n"
    }
    return text
  }
}

/// Quotes a text as Go's %q does: in double quotes, escaping quotes, backslashes, invisible characters and bytes that
/// are not UTF-8.
func goQuoted(_ bytes: [UInt8]) -> String { "\"\(escaped(bytes, quotes: true))\"" }
func goQuoted(_ text: String) -> String { goQuoted(Array(text.utf8)) }

/// Escapes backslashes, invisible characters, and characters that could change a terminal's display.
func escaped(_ text: String) -> String { escaped(Array(text.utf8), quotes: false) }

private func escaped(_ bytes: [UInt8], quotes: Bool) -> String {
  var result = ""
  forEachScalar(of: bytes) { scalar in
    switch scalar {
    case "\"" where !quotes: result += "\""
    case "\"", "\\": result += "\\\(scalar)"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    default:
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        let hex = String(scalar.value, radix: 16)
        let width = scalar.value < 0x80 ? 2 : scalar.value < 0x10000 ? 4 : 8
        let mark = width == 2 ? "\\x" : width == 4 ? "\\u" : "\\U"
        result += mark + String(repeating: "0", count: width - hex.utf8.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
  } invalid: { byte in
    result += escape(byte, after: "\\x")
  }
  return result
}
