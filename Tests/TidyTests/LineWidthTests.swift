import TestSupport
import Testing

/// No line is wider than 120 columns, comments and strings included. swift-format checks only code.
///
/// Exceptions: rows of tables, transcripts of system calls, and stanzas of mutations, which quote one line of code.
@Suite(.exclusive) struct LineWidthTests {
  private static var limit: Int { 120 }

  /// The numbers of the lines that are too wide.
  static func wideLines(_ source: String) -> [Int] {
    source.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .filter { $1.utf8.count > limit && $1.count > limit && $1.first != "|" }.map { $0.offset + 1 }
  }

  private static var kinds: [String] {
    [".swift", ".h", ".c", ".py", ".md", "/run", "/programs", "/selftest", "/session", "/init", "/host-to-guest"]
  }

  @Test func noLineIsTooWide() throws {
    let root = Repository.root
    let folders = ["Sources", "Tests", "Plugins", "Snippets"].flatMap { Repository.files("\(root)/\($0)") }
    let sources = folders.filter { path in
      Self.kinds.contains { path.hasSuffix($0) } && !path.contains("/__pycache__/")
    }
    #expect(sources.count { $0.hasSuffix(".swift") } > 300 && sources.count { $0.hasSuffix("/run") } > 5)
    let others = ["/Package.swift", "/README.md", "/CHANGELOG.md", "/CONTRIBUTING.md", "/.ci/run"].map { root + $0 }
    for path in sources + others {
      let lines = Self.wideLines(try #require(Repository.text(path)))
      #expect(lines.isEmpty, "\(path): lines \(lines) are wider than \(Self.limit) columns")
    }
  }

  @Test func aWideLineIsReported() {
    let full = String(repeating: "x", count: 120)
    #expect(Self.wideLines("\(full)\n// \(full)\n\n\(full)x") == [2, 4])
    // Columns are characters, not bytes.
    #expect(Self.wideLines(String(repeating: "é", count: 120)) == [])
    #expect(Self.wideLines("") == [] && Self.wideLines(full) == [] && Self.wideLines("| \(full) |") == [])
  }
}
