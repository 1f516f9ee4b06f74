/// The rule that nothing opens vsock connections outside the guest kernel: it reads the sources of tests, and of what
/// is built beside them, and says what breaks it. Beyond what swift-format's layout promises (a top-level item begins
/// and ends at column 0), it understands no Swift. What it overlooks, VsockRefusal stops where tests run.
///
/// A file *names vsock sockets* when its code has
/// - a word `Vsock…Socket` or `Vsock…Listener`, a generic socket beside a word `vsock`, `AF_VSOCK`, or another
///   program's vsock option;
/// - something that opens sockets by text beside a text with a vsock scheme;
/// - vscp's own command line, one without `--to` and `--listen`;
/// - a word that a helper file which names them declares.
///
/// Then each of its tests must be in a suite with `.guestOnly`. Files without tests that name vsock sockets have names
/// that begin with `Vsock`, so that what they declare is only for such suites, and they are no programs. A function
/// that begins by asking for the guest kernel, `guard isGuestKernel() else`, is for everybody.
struct VsockGate {
  /// A top-level item of a helper.
  private struct Piece {
    let declared: [String]
    let words: Set<String>
    let opens: Bool
    let hasText: Bool
    /// Who uses it need not be guarded.
    let isForEverybody: Bool

    init(_ item: String, of file: SourceText, asksRightly: Bool) {
      let words = SourceText.words(item)
      let packed = item.filter { !$0.isWhitespace }
      let asks = asksRightly && packed.drop { $0 != "{" }.hasPrefix("{guardisGuestKernel()else{")
      // Who uses members of the socket type names the type.
      let isMember = words.first == "extension" && words.count > 1 && isSocketType(words[1])
      // Nothing calls an entry point by its name, and every program has one.
      declared = SourceText.declaredNames(item).filter { $0 != "main" }
      self.words = Set(words)
      opens = opensByText(packed)
      hasText = file.strings(in: item).contains(where: isVsockText)
      isForEverybody = asks || isMember
    }

    /// Whether an item is the right question for the guest kernel: for the kernel's word, which nobody can forge.
    static func asksForTheGuest(_ item: String, of file: SourceText) -> Bool {
      guard item.contains("func isGuestKernel() -> Bool {") else { return false }
      let strings = file.strings(in: item)
      return strings.contains("/proc/cmdline") && strings.contains("socketkit.guest")
    }
  }

  private struct File {
    let path: String
    let text: SourceText
    let words: Set<String>
    let lines: [String]
    let namesForeignOptions: Bool
    let hasTests: Bool
    let opens: Bool
    let hasText: Bool
    let hasOwnForm: Bool
    let pieces: [Piece]

    init(path: String, text source: String) {
      let text = SourceText(source)
      self.path = path
      self.text = text
      words = Set(SourceText.words(text.code))
      lines = text.code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let options = ["AF_" + "VSOCK", "VSOCK" + "-CONNECT", "VSOCK" + "-LISTEN", "--" + "vsock", "socket" + "(40"]
      namesForeignOptions = options.contains { option in
        text.code.contains(option) || text.strings.contains { $0.contains(option) }
      }
      hasTests = text.code.contains("@Test") || text.code.contains("@Suite")
      opens = opensByText(text.packedCode) || text.strings.contains("vs" + "cp")
      hasText = text.strings.contains(where: isVsockText)
      let hasTests = self.hasTests
      hasOwnForm = ["VscpEnd", "VscpCommand.run"].contains { call in
        text.arguments(of: call).contains { arguments in
          let strings = text.strings(in: arguments)
          // A helper may pass on what it was given.
          if strings.isEmpty && !hasTests { return false }
          return !strings.contains { $0.hasPrefix("--to") || $0.hasPrefix("--listen") }
        }
      }
      let items = hasTests ? [] : text.items()
      let asksRightly = items.contains { Piece.asksForTheGuest($0, of: text) }
      pieces = items.map { Piece($0, of: text, asksRightly: asksRightly) }
    }

    var name: Substring { path.split(separator: "/").last ?? "" }

    /// Whether it runs by itself: scripts, and what has an entry point.
    var isProgram: Bool {
      !hasTests
        && (name == "main.swift" || path.contains("/Snippets/") || text.code.contains("@main")
          || text.code.contains("@_cdecl"))
    }
  }

  private let files: [File]
  private let guardedSuites: Set<String>

  /// What helpers declare that names vsock sockets, that opens by text, and that is a vsock text.
  private struct Telling: Equatable {
    var sockets: Set<String> = []
    var openers: Set<String> = []
    var texts: Set<String> = []
  }

  init(_ sources: [(path: String, text: String)]) {
    files = sources.map(File.init)
    guardedSuites = Set(
      files.flatMap { file in Self.items(file.lines).filter(\.isGuarded).map(\.name) })
  }

  /// What breaks the rule, one text for each; `naming` is the number of files that name vsock sockets.
  func complaints() -> (texts: [String], naming: Int) {
    var telling = Telling()
    while true {
      var next = telling
      for file in files where !file.hasTests { collect(file, telling, into: &next) }
      if next == telling { break }
      telling = next
    }
    let naming = files.filter { names($0, telling) }
    var texts: [String] = []
    for file in naming where file.hasTests {
      for item in Self.items(file.lines) where item.hasTests {
        let isGuarded = item.isGuarded || item.isExtension && guardedSuites.contains(item.name)
        if !isGuarded { texts.append("\(file.path): \(item.name) names vsock sockets and has no .guestOnly") }
      }
    }
    for file in naming where !file.hasTests {
      if file.isProgram {
        texts.append("\(file.path): a program that names vsock sockets, and asks for no guest kernel")
      } else if !file.name.hasPrefix("Vsock") {
        texts.append("\(file.path): a helper that names vsock sockets is not named Vsock…")
      }
    }
    return (texts, naming.count)
  }

  private func collect(_ file: File, _ known: Telling, into next: inout Telling) {
    let isNaming = names(file, known)
    for piece in file.pieces {
      if isNaming && !piece.isForEverybody { next.sockets.formUnion(piece.declared) }
      if piece.opens || !piece.words.isDisjoint(with: known.openers) { next.openers.formUnion(piece.declared) }
      if piece.hasText { next.texts.formUnion(piece.declared) }
    }
  }

  private func names(_ file: File, _ telling: Telling) -> Bool {
    let hasGeneric = file.words.contains { $0.hasPrefix("Generic") && $0.hasSuffix("Socket") }
    if file.namesForeignOptions || file.hasOwnForm || hasGeneric && file.words.contains("vsock") { return true }
    if file.words.contains(where: isSocketType) || !file.words.isDisjoint(with: telling.sockets) { return true }
    return (file.opens || !file.words.isDisjoint(with: telling.openers))
      && (file.hasText || !file.words.isDisjoint(with: telling.texts))
  }

  private struct Item {
    var name: String
    var isExtension: Bool
    var isGuarded: Bool
    var hasTests: Bool
  }

  private static let kinds: Set<String> = ["struct", "class", "enum", "actor", "extension"]

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
      let words = SourceText.words(line)
      if let index = words.firstIndex(where: kinds.contains), index + 1 < words.count, !line.hasPrefix(" ") {
        let isSuite = header.contains("@Suite")
        items.append(
          Item(
            name: words[index + 1], isExtension: words[index] == "extension",
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
}

/// Whether code, without white space, opens sockets by text.
private func opensByText(_ code: String) -> Bool {
  [".visit(", "endpointFormat.parse(", "VscpCommand.run(", "VscpEnd("].contains { code.contains($0) }
}

private func isSocketType(_ word: String) -> Bool {
  word.hasPrefix("Vsock") && (word.hasSuffix("Socket") || word.hasSuffix("Listener"))
}

/// Whether a text is a vsock scheme, or has an address with one in it.
private func isVsockText(_ text: String) -> Bool {
  let name = "vs" + "ock"
  let small = text.lowercased()
  return small == name || small.contains("\(name):") || small.contains("\(name)-")
}
