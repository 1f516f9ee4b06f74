/// The rule that error numbers and option numbers of the kernel have names: where a source has a number instead.
///
/// It finds a number
/// - compared with `errno`, with a `code`, or, if it is negative, with the `raw` value of a result;
/// - after the label `errno:`;
/// - in a `case` of a switch over `errno` or a `code`, or of one that has names such as `CSK_EPERM` or `EAI_NONAME` in
///   other cases;
/// - as level or option of getsockopt(2), setsockopt(2) and the functions over them;
/// - as command or request of fcntl(2) and ioctl(2);
/// - after a label of the level, the option or the type, in an argument list that has both.
///
/// 0 is no error, so it stays beside `errno`.
struct BareNumbers {
  typealias Token = SourceTokens.Token

  /// The lines with such numbers, in order.
  private(set) var lines: [Int] = []
  private let tokens: [Token]

  /// The functions with a level and an option, and the place of the level among their arguments.
  private static let calls = [
    "setsockopt": 1, "getsockopt": 1, "csk_setsockopt": 1, "csk_getsockopt": 1, "integerOption": 0,
    "setIntegerOption": 0, "readOption": 0, "writeOption": 0,
  ]
  /// The functions with a command or a request, and its place among their arguments.
  private static let commands = ["fcntl": 1, "ioctl": 1, "csk_fcntl": 1, "csk_ioctl": 1]
  /// The labels beside `level:`.
  private static let optionLabels: Set<String> = [
    "name", "type", "flag", "integer", "unsigned", "duration", "text", "bytes",
  ]

  /// What stands before a `case` that is none of a switch.
  private static let conditions: Set<String> = ["if", "guard", "while", "for", ","]

  init(_ source: String) {
    tokens = SourceTokens(source).tokens
    for index in tokens.indices {
      switch tokens[index].text {
      case "==", "!=": compare(at: index)
      case "errno": label(at: index)
      case "switch": readSwitch(at: index)
      case "level" where text(index + 1) == ":":
        if let start = openingParenthesis(before: index) { readLabels(arguments(from: start)) }
      case let word where text(index + 1) == "(":
        if let place = Self.calls[word] { readCall(at: index, place, count: 2) }
        if let place = Self.commands[word] { readCall(at: index, place, count: 1) }
      default: break
      }
    }
    lines = Set(lines).sorted()
  }

  private func text(_ index: Int) -> String { tokens.indices.contains(index) ? tokens[index].text : "" }

  /// The number that begins at an index, with its sign.
  private func number(at index: Int) -> String? {
    let isNegative = text(index) == "-"
    let place = isNegative ? index + 1 : index
    guard tokens.indices.contains(place), tokens[place].kind == .number else { return nil }
    return (isNegative ? "-" : "") + tokens[place].text
  }

  private mutating func compare(at index: Int) {
    var words: [String] = []
    // Either side: `errno == 22`, `error?.errno == 22`, `22 == errno`.
    var found = number(at: index + 1)
    if let found, found != "0" {
      let before = text(index - 1) == "?" || text(index - 1) == ")" ? text(index - 2) : text(index - 1)
      words = [before]
    } else if tokens.indices.contains(index - 1), tokens[index - 1].kind == .number, text(index - 1) != "0" {
      found = text(index - 1)
      // `22 == error.errno`: the last word of the path.
      var next = index + 1
      while text(next + 1) == "." || text(next + 1) == "?" && text(next + 2) == "." {
        next += text(next + 1) == "." ? 2 : 3
      }
      words = [text(next)]
    }
    guard let found else { return }
    let isBare =
      words.contains("errno") || words.contains("code")
      || words.contains("raw") && found.hasPrefix("-") && found != "-1"
    if isBare { lines.append(tokens[index].line) }
  }

  private mutating func label(at index: Int) {
    if text(index + 1) == ":", let found = number(at: index + 2), found != "0" { lines.append(tokens[index].line) }
  }

  private mutating func readSwitch(at start: Int) {
    var index = start + 1
    while index < tokens.count, text(index) != "{" { index += 1 }
    let subject = tokens[(start + 1)..<min(index, tokens.count)].last { $0.kind == .word }?.text ?? ""
    var hasNames = subject == "errno" || subject == "code"
    var numbers: [Int] = []
    var depth = 0
    while index < tokens.count {
      if text(index) == "{" { depth += 1 }
      if text(index) == "}" { depth -= 1 }
      if depth == 0 { break }
      if depth == 1, text(index) == "case", !Self.conditions.contains(text(index - 1)) {
        var inside = 0
        while index < tokens.count, inside > 0 || text(index) != ":", text(index) != "where" {
          if text(index) == "(" { inside += 1 }
          if text(index) == ")" { inside -= 1 }
          if tokens[index].kind == .number && text(index) != "0" { numbers.append(tokens[index].line) }
          if isKernelName(text(index)) { hasNames = true }
          index += 1
        }
      } else {
        index += 1
      }
    }
    if hasNames { lines += numbers }
  }

  /// Whether a word is an error number's name: `CSK_EPERM`, `EPERM`, `EAI_NONAME`.
  private func isKernelName(_ word: String) -> Bool {
    word.hasPrefix("CSK_")
      || word.utf8.count > 3 && word.hasPrefix("E")
        && word.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
  }

  private mutating func readCall(at index: Int, _ place: Int, count: Int) {
    for argument in arguments(from: index + 1).dropFirst(place).prefix(count) where isNumber(argument) {
      lines.append(tokens[argument.lowerBound].line)
    }
  }

  private mutating func readLabels(_ arguments: [Range<Int>]) {
    let labels = arguments.map { $0.count > 1 && text($0.lowerBound + 1) == ":" ? text($0.lowerBound) : "" }
    guard labels.contains(where: Self.optionLabels.contains) else { return }
    for (label, argument) in zip(labels, arguments)
    where (label == "level" || Self.optionLabels.contains(label)) && isNumber(argument.dropFirst(2)) {
      lines.append(tokens[argument.lowerBound].line)
    }
  }

  private func openingParenthesis(before index: Int) -> Int? {
    var depth = 0
    for place in tokens.indices.prefix(upTo: index).reversed() {
      switch text(place) {
      case ")", "]", "}": depth += 1
      case "(" where depth == 0: return place
      case "(", "[", "{": depth -= 1
      default: break
      }
      if depth < 0 { return nil }
    }
    return nil
  }

  /// The arguments of the list that begins at an index.
  private func arguments(from start: Int) -> [Range<Int>] {
    var arguments: [Range<Int>] = []
    var depth = 0
    var first = start + 1
    var index = start
    loop: while index < tokens.count {
      switch text(index) {
      case "(", "[", "{": depth += 1
      case ")", "]", "}":
        depth -= 1
        if depth == 0 { break loop }
      case "," where depth == 1:
        arguments.append(first..<index)
        first = index + 1
      default: break
      }
      index += 1
    }
    return arguments + [first..<index]
  }

  /// Whether an argument is a number and nothing else: `22`, `-22`, `22 as Int32`, `Int32(22)`.
  private func isNumber(_ argument: Range<Int>) -> Bool {
    let words = tokens[argument].filter { $0.text != "-" && $0.text != "(" && $0.text != ")" && $0.text != "as" }
    return words.contains { $0.kind == .number } && words.allSatisfy { $0.kind == .number || $0.text.contains("Int") }
  }
}
