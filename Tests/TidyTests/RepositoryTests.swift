import Glibc
import TestSupport
import Testing

/// The repository about itself: what a reader relies on and no compiler checks.
@Suite(.exclusive) struct RepositoryTests {
  private func sources() -> [String] {
    ["Sources", "Tests", "Plugins", "Snippets"].flatMap { Repository.files("\(Repository.root)/\($0)") }
      .filter { path in [".swift", ".h", ".c", ".py", ".sh"].contains { path.hasSuffix($0) } }
  }

  @Test func theReadmesCodeIsCompiledCode() throws {
    let readme = try #require(Repository.text("\(Repository.root)/README.md"))
    let snippets = Repository.files("\(Repository.root)/Snippets").compactMap(Repository.text).joined(separator: "\n")
    // Tests/Snippets/run compiles the blocks that begin with an import.
    let blocks = readme.components(between: "```swift\n", and: "```")
      .filter { !$0.hasPrefix("// Package.swift") && !$0.hasPrefix("import ") }
    #expect(blocks.count >= 3)
    for block in blocks { #expect(snippets.contains(block), "not in Snippets:\n\(block)") }
  }

  @Test func noFileIsTooLongToRead() {
    let all = sources()
    #expect(all.count > 60)
    for path in all {
      let lines = (Repository.text(path) ?? "").utf8.count { $0 == UInt8(ascii: "\n") }
      #expect(lines <= 600, "\(path): \(lines) lines")
    }
  }

  /// A build that went wrong once left object files beside Package.swift, and they were committed.
  @Test func everyFileIsText() throws {
    let files = Repository.files(Repository.root).filter { !$0.contains("/__pycache__/") }
    #expect(files.count > 400)
    for path in files { #expect(try isText(path), "\(path): a binary file") }
    let path = temporaryPath("elf")
    let number = CLibrary.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600)
    defer { CLibrary.unlink(path) }
    #expect(CLibrary.write(number, Array("\u{7f}ELF\0".utf8)) == 5 && close(number) == 0)
    #expect(try !isText(path))
  }

  @Test func aLinkToAFolderIsNotFollowed() throws {
    let folder = temporaryPath("folder")
    let script = "mkdir $0 $0/inner && touch $0/inner/file && ln -s .. $0/inner/back && ln -s inner/file $0/link"
    let made = try #require(PeerProcess(["sh", "-c", script, folder]))
    #expect(made.finish().status == 0)
    #expect(Repository.files(folder).sorted() == ["\(folder)/inner/file", "\(folder)/link"])
    let removed = try #require(PeerProcess(["rm", "-r", folder]))
    #expect(removed.finish().status == 0)
  }

  /// Looks at the first bytes: every object file and archive has a zero byte among them.
  private func isText(_ path: String) throws -> Bool {
    try !#require(contents(ofFile: path), "\(path)").prefix(1024).contains(0)
  }

  /// Who uses the core pays for neither Foundation nor the test framework.
  @Test func theProductImportsNoFoundation() {
    for path in Repository.files("\(Repository.root)/Sources") where path.hasSuffix(".swift") {
      let imports = (Repository.text(path) ?? "").split(separator: "\n").filter {
        $0.contains("import ") && !$0.contains("//")
      }
      for line in imports {
        #expect(!line.contains("Foundation") && !line.contains("import Testing"), "\(path): \(line)")
      }
    }
  }

  /// Transports and pollers have a third party's rights and no others.
  @Test func transportsAndPollersUsePublicAPIOnly() {
    for path in Repository.files("\(Repository.root)/Sources/Transports")
      + Repository.files("\(Repository.root)/Sources/Pollers") where path.hasSuffix(".swift")
    {
      let content = Repository.text(path) ?? ""
      #expect(!content.contains("@testable") && !content.contains("package import") && !content.contains("@_spi"))
    }
    let manifest = Repository.text("\(Repository.root)/Package.swift") ?? ""
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
