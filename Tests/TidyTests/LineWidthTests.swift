import TestSupport
import Testing

/// No line is wider than 120 columns, comments and strings included. swift-format looks at code only.
@Suite(.exclusive) struct LineWidthTests {
  private static var limit: Int { 120 }

  /// The numbers of the lines that are too wide.
  static func wideLines(_ source: String) -> [Int] {
    source.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .filter { $1.utf8.count > limit && $1.count > limit }.map { $0.offset + 1 }
  }

  @Test func noLineIsTooWide() {
    let sources = ["Sources", "Tests", "Plugins", "Snippets"].flatMap { Repository.files("\(Repository.root)/\($0)") }
      .filter { $0.hasSuffix(".swift") }
    #expect(sources.count > 300)
    for path in sources {
      let lines = Self.wideLines(Repository.text(path) ?? "")
      #expect(lines.isEmpty, "\(path): lines \(lines) are wider than \(Self.limit) columns")
    }
  }

  @Test func aWideLineIsReported() {
    let full = String(repeating: "x", count: 120)
    #expect(Self.wideLines("\(full)\n// \(full)\n\n\(full)x") == [2, 4])
    // Columns are characters, not bytes.
    #expect(Self.wideLines(String(repeating: "é", count: 120)) == [])
    #expect(Self.wideLines("") == [] && Self.wideLines(full) == [])
  }
}
