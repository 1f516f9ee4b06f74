import TestSupport
import Testing

/// A third party's extension stays small: the package Plugins/Minimal holds the smallest of each kind.
@Suite(.exclusive) struct SmallExtensionTests {
  private static let limits = [("PlainSocket", 40), ("CountedSocket", 50), ("ListPoller", 150)]

  /// The number of lines without comments, blank lines and imports.
  static func codeLines(_ source: String) -> Int {
    source.split(separator: "\n").count { line in
      let code = line.drop { $0 == " " }
      return !code.isEmpty && !code.hasPrefix("//") && !code.hasPrefix("import ") && !code.hasPrefix("public import ")
    }
  }

  @Test(arguments: limits) func theExtensionIsSmall(_ name: String, _ limit: Int) throws {
    let path = "\(Repository.root)/Plugins/Minimal/Sources/Minimal/\(name).swift"
    let lines = Self.codeLines(try #require(Repository.text(path)))
    #expect(lines > 10 && lines <= limit)
    let readme = try #require(Repository.text("\(Repository.root)/Plugins/Minimal/README.md"))
    let row = readme.split(separator: "\n").first { $0.hasPrefix("| `\(name)") }
    #expect(row?.hasSuffix(" | \(lines) | \(limit) |") == true, "\(name) has \(lines) lines")
  }

  @Test func linesAreCounted() {
    #expect(Self.codeLines("import A\npublic import B\n\n// C\n  /// D\nlet a = 1  // E\n  }\n") == 2)
  }
}
