/// The table of `Tests/Capabilities.md`, and what is wrong with it.
struct CapabilityTable {
  struct Row {
    let area: String
    let capability: String
    let proof: String
  }

  let rows: [Row]

  init(_ text: String) {
    // The table's head and the line below it are no capabilities.
    rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst(2).map { line in
      let cells = line.split(separator: "|").map { cell in
        String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
      return Row(
        area: cells.first ?? "", capability: cells.count > 1 ? cells[1] : "", proof: cells.count == 3 ? cells[2] : "")
    }
  }

  /// What later changes bring.
  static let later: Set<String> = [
    "flags", "scatter and gather", "async", "io_uring", "hybrid vsock", "in-memory", "relay",
  ]

  /// What the table may name.
  struct Known {
    /// `Target/Suite/test`.
    var tests: Set<String> = []
    /// `stream.end.half-close`.
    var rules: Set<String> = []
    /// What CI runs.
    var ci = ""
  }

  /// One sentence for each fault.
  func complaints(_ known: Known) -> [String] {
    var texts: [String] = []
    var seen: Set<String> = []
    for row in rows {
      if row.area.isEmpty || row.capability.isEmpty { texts.append("a row without area or capability: \(row)") }
      if !seen.insert(row.capability).inserted { texts.append("twice: \(row.capability)") }
      texts += complaints(row, known).map { "\(row.capability): \($0)" }
    }
    return texts
  }

  private func complaints(_ row: Row, _ known: Known) -> [String] {
    if row.proof.hasPrefix("later: ") {
      let what = String(row.proof.dropFirst(7))
      return Self.later.contains(what) ? [] : ["no later change brings \(what)"]
    }
    if row.proof == "not a goal" { return [] }
    if row.proof.hasPrefix("pending") { return ["has no test yet: \(row.proof)"] }
    let parts = row.proof.split(separator: "`", omittingEmptySubsequences: false)
    // What stands in backquotes, and the blanks between.
    let names = parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
    let rest = parts.indices.filter { $0 % 2 == 0 }.contains { parts[$0].contains { $0 != " " } }
    if names.isEmpty { return ["names no test"] }
    return (rest || parts.count % 2 == 0 ? ["has more than names: \(row.proof)"] : [])
      + names.filter { !isKnown($0, known) }.map { "\($0) is gone" }
  }

  private func isKnown(_ name: String, _ known: Known) -> Bool {
    if name.hasPrefix("rule:") { return known.rules.contains(String(name.dropFirst(5))) }
    if name.hasPrefix("ci:") { return known.ci.contains("\n\(name.dropFirst(3))") }
    return known.tests.contains(name)
  }
}

extension CapabilityTable.Known {
  /// The kit's suites by the folder that holds their rules: each rule's name begins with its suite's.
  private static let suites = [
    "Streams": ["stream"], "Listeners": ["listener"], "Messages": ["packet", "datagram"], "Pollers": ["poller"],
    "PollersOverStreams": ["poller-stream"], "PollersOverMessages": ["poller-message"], "Addresses": ["address"],
    "Associations": ["association", "poller-association"],
  ]

  /// What the repository has.
  static func ofRepository() -> Self {
    var known = Self()
    for folder in Repository.files("\(Repository.root)/Tests") + Repository.files("\(Repository.root)/Plugins") {
      let parts = folder.split(separator: "/").map(String.init)
      guard folder.hasSuffix(".swift"), parts.count > 1, parts[parts.count - 2].hasSuffix("Tests") else { continue }
      // Sources in texts are none.
      if parts[parts.count - 2] == "TidyTests" { continue }
      known.tests.formUnion(tests(in: Repository.text(folder) ?? "", target: parts[parts.count - 2]))
    }
    for (folder, suites) in suites {
      for file in Repository.files("\(Repository.root)/Sources/SocketKitConformance/\(folder)") {
        // Names of rules are whole strings of small letters, points and hyphens.
        let parts = (Repository.text(file) ?? "").split(separator: "\"", omittingEmptySubsequences: false)
        for name in parts
        where !name.isEmpty && name.utf8.allSatisfy({ (97...122).contains($0) || $0 == 45 || $0 == 46 }) {
          for suite in suites { known.rules.insert("\(suite).\(name)") }
        }
      }
    }
    // A command begins its line; a comment does not match.
    let script = Repository.text("\(Repository.root)/.ci/run") ?? ""
    known.ci = script.split(separator: "\n").map { "\n" + $0.drop { $0 == " " } }.joined()
    return known
  }

  /// The test functions of a source: those of its top-level types and their extensions. Read line by line, because
  /// there are many sources: each begins with `@Test`, as swift-format lays it out.
  static func tests(in text: String, target: String) -> Set<String> {
    let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "extension"]
    var found: Set<String> = []
    var suite = ""
    var isTest = false
    for line in text.split(separator: "\n") {
      if !line.hasPrefix(" ") {
        let words = line.split { $0 == " " || $0 == ":" || $0 == "{" }
        if let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count {
          suite = String(words[kind + 1])
        }
      }
      let code = line.drop { $0 == " " }
      if code.hasPrefix("@Test") { isTest = true }
      if isTest, let function = code.firstRange(of: "func ") {
        found.insert("\(target)/\(suite)/\(code[function.upperBound...].prefix { $0.isLetter || $0.isNumber })")
        isTest = false
      }
    }
    return found
  }
}
