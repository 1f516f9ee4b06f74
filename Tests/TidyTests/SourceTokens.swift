/// The tokens of a Swift source, without comments and without the texts of strings. What a string interpolates is code.
///
/// It reads bytes, because there are many sources: taking a `String` apart is many times slower in a debug build.
struct SourceTokens {
  struct Token: Equatable {
    enum Kind {
      case word, number, mark
    }
    let kind: Kind
    let text: String
    /// The line, from 1.
    let line: Int
  }

  private(set) var tokens: [Token] = []
  private let bytes: [UInt8]
  private var place = 0
  private var line = 1

  init(_ text: String) {
    bytes = Array(text.utf8)
    readCode(untilParenthesis: false)
  }

  private func byte(_ offset: Int = 0) -> UInt8 { place + offset < bytes.count ? bytes[place + offset] : 0 }

  private func starts(with text: String) -> Bool {
    let wanted = text.utf8.span
    for index in wanted.indices where byte(index) != wanted[index] { return false }
    return true
  }

  private mutating func step(_ count: Int = 1) {
    for _ in 0..<count {
      if byte() == UInt8(ascii: "\n") { line += 1 }
      place += 1
    }
  }

  /// Reads code to the end of the source, or of an interpolation, whose opening parenthesis has been read.
  private mutating func readCode(untilParenthesis: Bool) {
    var depth = 1
    while place < bytes.count {
      let next = byte()
      if starts(with: "//") {
        while place < bytes.count, byte() != UInt8(ascii: "\n") { step() }
      } else if starts(with: "/*") {
        readComment()
      } else if isWord(next) {
        readWord()
      } else if next == UInt8(ascii: "\"") || next == UInt8(ascii: "#") && isRawString() {
        readString()
      } else if next <= UInt8(ascii: " ") {
        step()
      } else {
        if next == UInt8(ascii: "(") { depth += 1 }
        if next == UInt8(ascii: ")") { depth -= 1 }
        if untilParenthesis && depth == 0 { return step() }
        let length = starts(with: "==") || starts(with: "!=") ? 2 : 1
        add(.mark, from: place, count: length)
        step(length)
      }
    }
  }

  /// Comments nest.
  private mutating func readComment() {
    var depth = 0
    while place < bytes.count {
      if starts(with: "/*") {
        depth += 1
        step(2)
      } else if starts(with: "*/") {
        depth -= 1
        step(2)
        if depth == 0 { return }
      } else {
        step()
      }
    }
  }

  private mutating func readWord() {
    let start = place
    while isWord(byte()) { step() }
    add((48...57).contains(bytes[start]) ? .number : .word, from: start, count: place - start)
  }

  private mutating func readString() {
    var marks = 0
    while byte() == UInt8(ascii: "#") {
      marks += 1
      step()
    }
    let isLong = starts(with: "\"\"\"")
    step(isLong ? 3 : 1)
    while place < bytes.count {
      // A quotation mark that ends no string, as in a regular expression, spoils one line and not the rest.
      if !isLong && byte() == UInt8(ascii: "\n") { return }
      if byte() == UInt8(ascii: "\\"), marks == 0 || follows(marks, after: 1) {
        step(1 + marks)
        let isCode = byte() == UInt8(ascii: "(")
        step()
        if isCode { readCode(untilParenthesis: true) }
      } else if isLong ? starts(with: "\"\"\"") : byte() == UInt8(ascii: "\""), follows(marks, after: isLong ? 3 : 1) {
        return step((isLong ? 3 : 1) + marks)
      } else {
        step()
      }
    }
  }

  private func isRawString() -> Bool {
    var offset = 0
    while byte(offset) == UInt8(ascii: "#") { offset += 1 }
    return byte(offset) == UInt8(ascii: "\"")
  }

  /// Whether a number of "#" begins at an offset.
  private func follows(_ marks: Int, after offset: Int) -> Bool {
    for index in 0..<marks where byte(offset + index) != UInt8(ascii: "#") { return false }
    return true
  }

  private func isWord(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 95 || byte >= 128
  }

  private mutating func add(_ kind: Token.Kind, from start: Int, count: Int) {
    tokens.append(Token(kind: kind, text: String(decoding: bytes[start..<start + count], as: UTF8.self), line: line))
  }
}
