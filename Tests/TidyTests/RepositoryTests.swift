import Glibc
import Testing

/// The repository about itself: what a reader relies on and no compiler checks.
@Suite struct RepositoryTests {
  private let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

  private func text(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk.prefix(count)
    }
  }

  /// The files of a folder and of those inside it, without hidden ones.
  private func files(_ folder: String) -> [String] {
    guard let list = opendir(folder) else { return [] }
    defer { closedir(list) }
    var found: [String] = []
    while let entry = readdir(list) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      let path = "\(folder)/\(name)"
      found += entry.pointee.d_type == UInt8(DT_DIR) ? files(path) : [path]
    }
    return found
  }

  private func sources() -> [String] {
    ["Sources", "Tests", "Plugins", "Snippets"].flatMap { files("\(root)/\($0)") }
      .filter { path in [".swift", ".h", ".c", ".py", ".sh"].contains { path.hasSuffix($0) } }
  }

  @Test func theReadmesCodeIsCompiledCode() throws {
    let readme = try #require(text("\(root)/README.md"))
    let snippets = files("\(root)/Snippets").compactMap(text).joined(separator: "\n")
    let blocks = readme.components(between: "```swift\n", and: "```").filter { !$0.hasPrefix("// Package.swift") }
    #expect(blocks.count >= 3)
    for block in blocks { #expect(snippets.contains(block), "not in Snippets:\n\(block)") }
  }

  @Test func noFileIsTooLongToRead() {
    let all = sources()
    #expect(all.count > 60)
    for path in all {
      let lines = (text(path) ?? "").utf8.count { $0 == UInt8(ascii: "\n") }
      #expect(lines <= 600, "\(path): \(lines) lines")
    }
  }

  /// Who uses the core pays for neither Foundation nor the test framework.
  @Test func theProductImportsNoFoundation() {
    for path in files("\(root)/Sources") where path.hasSuffix(".swift") {
      let imports = (text(path) ?? "").split(separator: "\n").filter { $0.contains("import ") && !$0.contains("//") }
      for line in imports {
        #expect(!line.contains("Foundation") && !line.contains("import Testing"), "\(path): \(line)")
      }
    }
  }

  /// Transports and pollers have a third party's rights and no others.
  @Test func transportsAndPollersUsePublicAPIOnly() {
    for path in files("\(root)/Sources/Transports") + files("\(root)/Sources/Pollers") where path.hasSuffix(".swift") {
      let content = text(path) ?? ""
      #expect(!content.contains("@testable") && !content.contains("package import") && !content.contains("@_spi"))
    }
    let manifest = text("\(root)/Package.swift") ?? ""
    #expect(!manifest.contains(".package("), "no package dependencies")
  }
}

extension String {
  /// What stands between each pair of marks.
  fileprivate func components(between start: String, and end: String) -> [String] {
    var found: [String] = []
    var rest = self[...]
    while let opening = rest.firstRange(of: start) {
      rest = rest[opening.upperBound...]
      guard let closing = rest.firstRange(of: end) else { break }
      found.append(String(rest[..<closing.lowerBound]))
      rest = rest[closing.upperBound...]
    }
    return found
  }
}
