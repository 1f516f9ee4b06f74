/// A source file, taken apart without understanding it: code without comments, and its strings.
struct SourceText {
  /// Line for line. Where a string stands, so does its number, as in `run([‹0›, ‹1›])`; what it interpolates, which is
  /// code, follows it.
  private(set) var code = ""
  private(set) var strings: [String] = []

  init(_ text: String) { read(text[...]) }

  /// The code without white space: a call is found however it is laid out.
  var packedCode: String { code.filter { !$0.isWhitespace } }

  /// The words of a piece of code.
  static func words(_ code: some StringProtocol) -> [String] {
    code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map { String($0) }
  }

  /// The strings of a piece of this code.
  func strings(in code: some StringProtocol) -> [String] {
    code.split(separator: "‹").compactMap { piece in
      guard let end = piece.firstIndex(of: "›"), let index = Int(piece[..<end]) else { return nil }
      return strings.indices.contains(index) ? strings[index] : nil
    }
  }

  /// The arguments of each call of a function, in code without white space.
  func arguments(of call: String) -> [Substring] {
    let code = packedCode
    return code.ranges(of: "\(call)(").map { inParentheses(code[code.index(before: $0.upperBound)...]) }
  }

  /// The top-level items: what begins at column 0 and ends where its brackets do. Attributes may be items of their own.
  func items() -> [String] {
    var items: [String] = []
    var item = ""
    var depth = 0
    for line in code.split(separator: "\n", omittingEmptySubsequences: false) {
      item += line + "\n"
      depth += line.count { "([{".contains($0) } - line.count { ")]}".contains($0) }
      if depth <= 0 {
        items.append(item)
        item = ""
        depth = 0
      }
    }
    return items + [item]
  }

  /// What other files can name of some code: top-level declarations and static members, unless private.
  static func declaredNames(_ code: String) -> [String] {
    code.split(separator: "\n").compactMap { line in
      let words = Self.words(line)
      let declaring: Set<String> = [
        "func", "let", "var", "struct", "class", "enum", "actor", "typealias", "protocol",
      ]
      guard !words.contains("private"), !words.contains("fileprivate"), !line.hasPrefix("extension"),
        !line.hasPrefix(" ") || line.hasPrefix("  static ") || line.hasPrefix("  public static "),
        let index = words.firstIndex(where: declaring.contains), index + 1 < words.count
      else { return nil }
      return words[index + 1]
    }
  }

  private mutating func read(_ text: Substring) {
    var rest = text
    while let character = rest.first {
      if rest.hasPrefix("//") {
        rest = rest.drop { $0 != "\n" }
      } else if rest.hasPrefix("/*") {
        let end = rest.firstRange(of: "*/")?.upperBound ?? rest.endIndex
        code += rest[..<end].filter { $0 == "\n" }
        rest = rest[end...]
      } else if character == "\"" {
        readString(&rest)
      } else {
        code.append(character)
        rest = rest.dropFirst()
      }
    }
  }

  private mutating func readString(_ rest: inout Substring) {
    let mark = rest.hasPrefix("\"\"\"") ? "\"\"\"" : "\""
    rest = rest.dropFirst(mark.count)
    let number = strings.count
    strings.append("")
    code += "‹\(number)›"
    var isEscaped = false
    while let next = rest.first, isEscaped || !rest.hasPrefix(mark) {
      if isEscaped && next == "(" {
        let inside = inParentheses(rest)
        code += " "
        read(inside)
        code += " "
        rest = rest[inside.endIndex...]
        isEscaped = false
        continue
      }
      isEscaped = !isEscaped && next == "\\"
      strings[number].append(next)
      if next == "\n" { code.append(next) }
      rest = rest.dropFirst()
    }
    rest = rest.dropFirst(mark.count)
  }
}

/// What begins with a parenthesis, up to the one that closes it.
private func inParentheses(_ text: Substring) -> Substring {
  var depth = 0
  for index in text.indices {
    if text[index] == "(" { depth += 1 }
    if text[index] == ")" { depth -= 1 }
    if depth == 0 { return text[...index] }
  }
  return text
}
