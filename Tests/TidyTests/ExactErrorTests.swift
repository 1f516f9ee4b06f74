import TestSupport
import Testing

/// A test that expects an error names it. A test that accepts any error of a type passes when the code is wrong.
@Suite(.exclusive) struct ExactErrorTests {
  /// Where a source expects any error of a type, as in `throws: SocketError.self`. `Never.self` expects none, and
  /// stays.
  static func complaints(_ source: String) -> [String] {
    // Most sources have no such text at all, and need not be taken apart.
    guard source.contains(/throws:\s*(\(any\s+\w+\)|[\w.<>]+)\.self/) else { return [] }
    return SourceText(source).packedCode.matches(of: /throws:((\(any\w+\)|[\w.<>]+)\.self)[),]/).compactMap {
      $0.1 == "Never.self" ? nil : "throws: \($0.1)"
    }
  }

  @Test func everyExpectedErrorIsNamed() {
    let sources = ["Tests", "Plugins", "Snippets"].flatMap { Repository.files("\(Repository.root)/\($0)") }
      .filter { $0.hasSuffix(".swift") }
    #expect(sources.count > 150)
    for path in sources {
      for complaint in Self.complaints(Repository.text(path) ?? "") {
        Issue.record("\(path): \(complaint): name the error, by its code at least")
      }
    }
  }

  @Test func anyErrorOfATypeIsReported() {
    for (text, type) in [
      ("#expect(throws: SocketError.self) { try f() }", "SocketError.self"),
      ("let e = try #require(throws: SocketError.self) { try f() }", "SocketError.self"),
      ("#expect(\n  throws:\n    Outer.Failure.self\n) {}", "Outer.Failure.self"),
      ("#expect(throws: (any Error).self) {}", "(anyError).self"),
      ("let s = \"\\(try #require(throws: ToolError.self) { try f() })\"", "ToolError.self"),
    ] {
      #expect(Self.complaints(text) == ["throws: \(type)"], "\(text)")
    }
    for text in [
      "#expect(throws: SocketError(code: .timedOut, .read)) {}", "#expect(throws: ToolError.usage(\"x\")) {}",
      "#expect(throws: Never.self) {}", "// throws: SocketError.self", "let s = \"throws: SocketError.self\"",
      "failure(SocketError.self) { () throws(SocketError) in try f() }", "#expect(throws: error) {}",
    ] {
      #expect(Self.complaints(text) == [], "\(text)")
    }
  }
}
