/// The rule that no test opens a vsock connection outside the guest kernel: it reads test sources and says what breaks
/// it. Beyond what swift-format's layout promises (a top-level item begins and ends at column 0), it understands no Swift.
///
/// A file *names vsock sockets* when its code has a word `Vsock…Socket` or `Vsock…Listener`, a generic socket beside a
/// word `vsock`, `AF_VSOCK`, another program's vsock option, or a word that a helper file which names them declares.
/// Then each of its tests must be in a suite with `.guestOnly`. Helper files (without tests) that name vsock sockets have
/// names that begin with `Vsock`, so that what they declare is only for such suites.
struct VsockGate {
  private struct File {
    let path: String
    let lines: [String]
    let words: Set<String>
    let namesForeignOptions: Bool
    let hasTests: Bool
  }

  private let files: [File]
  private let guardedSuites: Set<String>

  init(_ sources: [(path: String, text: String)]) {
    files = sources.map { source in
      let (code, strings) = splitSource(source.text)
      let words = Set(code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
      let options = ["AF_" + "VSOCK", "VSOCK" + "-CONNECT", "VSOCK" + "-LISTEN", "--" + "vsock", "socket" + "(40"]
      return File(
        path: source.path, lines: code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init),
        words: words, namesForeignOptions: options.contains { code.contains($0) || strings.contains($0) },
        hasTests: code.contains("@Test") || code.contains("@Suite"))
    }
    guardedSuites = Set(
      files.flatMap { file in Self.items(file.lines).filter(\.isGuarded).map(\.name) })
  }

  /// What breaks the rule, one text for each; `naming` is the number of files that name vsock sockets.
  func complaints() -> (texts: [String], naming: Int) {
    var telling: Set<String> = []
    var texts: [String] = []
    while true {
      let helpers = files.filter { !$0.hasTests && names($0, telling) }
      let declared = Set(helpers.flatMap { Self.declaredNames($0.lines) })
      if declared.isSubset(of: telling) { break }
      telling.formUnion(declared)
    }
    let naming = files.filter { names($0, telling) }
    for file in naming where file.hasTests {
      for item in Self.items(file.lines) where item.hasTests {
        let isGuarded = item.isGuarded || item.isExtension && guardedSuites.contains(item.name)
        if !isGuarded { texts.append("\(file.path): \(item.name) names vsock sockets and has no .guestOnly") }
      }
    }
    for file in naming where !file.hasTests {
      let name = file.path.split(separator: "/").last ?? ""
      if !name.hasPrefix("Vsock") {
        texts.append("\(file.path): a helper that names vsock sockets is not named Vsock…")
      }
    }
    return (texts, naming.count)
  }

  private func names(_ file: File, _ telling: Set<String>) -> Bool {
    let hasGeneric = file.words.contains { $0.hasPrefix("Generic") && $0.hasSuffix("Socket") }
    return file.namesForeignOptions || hasGeneric && file.words.contains("vsock")
      || file.words.contains { word in
        word.hasPrefix("Vsock") && (word.hasSuffix("Socket") || word.hasSuffix("Listener")) || telling.contains(word)
      }
  }

  private struct Item {
    var name: String
    var isExtension: Bool
    var isGuarded: Bool
    var hasTests: Bool
  }

  private static let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "extension"]

  /// The top-level types and extensions, and what stands outside them as one more.
  private static func items(_ lines: [String]) -> [Item] {
    var items: [Item] = []
    var outside = Item(name: "a free test", isExtension: false, isGuarded: false, hasTests: false)
    var header = ""  // what has come since the last top-level item's end
    var isInside = false
    for line in lines {
      if isInside {
        if line.contains("@Test") || line.contains("@Suite") { items[items.count - 1].hasTests = true }
        if line.hasPrefix("}") { isInside = false }
        continue
      }
      header += line + "\n"
      let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
      if let index = words.firstIndex(where: kinds.contains), index + 1 < words.count, !line.hasPrefix(" ") {
        let isSuite = header.contains("@Suite")
        items.append(
          Item(
            name: String(words[index + 1]), isExtension: words[index] == "extension",
            isGuarded: isSuite && header.contains(".guestOnly"), hasTests: isSuite || line.contains("@Test")))
        isInside = !line.hasSuffix("}")
        header = ""
      } else if line.hasPrefix("}") || line.isEmpty {
        if header.contains("@Test") && !header.contains(".guestOnly") { outside.hasTests = true }
        header = ""
      }
    }
    if header.contains("@Test") && !header.contains(".guestOnly") { outside.hasTests = true }
    return items + [outside]
  }

  /// What other files can name: top-level declarations and static members, unless private.
  private static func declaredNames(_ lines: [String]) -> [String] {
    lines.compactMap { line in
      let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
      let declaring: Set<Substring> = [
        "func", "let", "var", "struct", "class", "enum", "actor", "typealias", "protocol",
      ]
      guard !words.contains("private"), !words.contains("fileprivate"), !line.hasPrefix("extension"),
        !line.hasPrefix(" ") || line.hasPrefix("  static ") || line.hasPrefix("  public static "),
        let index = words.firstIndex(where: declaring.contains), index + 1 < words.count
      else { return nil }
      return String(words[index + 1])
    }
  }
}

/// What begins with a parenthesis, up to the one that closes it.
private func interpolation(_ text: Substring) -> Substring {
  var depth = 0
  for index in text.indices {
    if text[index] == "(" { depth += 1 }
    if text[index] == ")" { depth -= 1 }
    if depth == 0 { return text[...index] }
  }
  return text
}

/// A source's code without comments and strings, line for line, and its strings. What a string interpolates is code.
private func splitSource(_ text: String) -> (code: String, strings: String) {
  var code = ""
  var strings = ""
  var rest = text[...]
  while let character = rest.first {
    if rest.hasPrefix("//") {
      rest = rest.drop { $0 != "\n" }
    } else if rest.hasPrefix("/*") {
      let end = rest.firstRange(of: "*/")?.upperBound ?? rest.endIndex
      code += rest[..<end].filter { $0 == "\n" }
      rest = rest[end...]
    } else if character == "\"" {
      let mark = rest.hasPrefix("\"\"\"") ? "\"\"\"" : "\""
      rest = rest.dropFirst(mark.count)
      var isEscaped = false
      while let next = rest.first, isEscaped || !rest.hasPrefix(mark) {
        if isEscaped && next == "(" {
          let inside = interpolation(rest)
          code += " \(inside) "
          rest = rest[inside.endIndex...]
          isEscaped = false
          continue
        }
        isEscaped = !isEscaped && next == "\\"
        strings.append(next)
        if next == "\n" { code.append(next) }
        rest = rest.dropFirst()
      }
      rest = rest.dropFirst(mark.count)
      strings.append("\n")
    } else {
      code.append(character)
      rest = rest.dropFirst()
    }
  }
  return (code, strings)
}
