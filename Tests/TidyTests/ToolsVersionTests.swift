import TestSupport
import Testing

/// The manifests name the version of the toolchain that CI builds with, because no older one is tried.
@Suite(.exclusive) struct ToolsVersionTests {
  /// The version of the compiler that built this test.
  private static var compiler: String? {
    #if compiler(>=6.4)
      nil
    #elseif compiler(>=6.3)
      "6.3"
    #else
      nil
    #endif
  }

  /// The version in the first line of a manifest.
  static func toolsVersion(_ manifest: String) -> Substring? {
    let line = manifest.prefix { $0 != "\n" }
    return line.hasPrefix("// swift-tools-version: ") ? line.dropFirst(24) : nil
  }

  @Test func theManifestsNameThisToolchain() throws {
    let root = Repository.root
    let manifests = ["Plugins", "Tests"].flatMap { Repository.files("\(root)/\($0)") }
      .filter { $0.hasSuffix("/Package.swift") && !$0.contains("/.build") }
    #expect(manifests.count >= 7)
    for path in manifests + ["\(root)/Package.swift"] {
      let version = Self.toolsVersion(try #require(Repository.text(path)))
      #expect(version.map(String.init) == Self.compiler, "\(path) requires another toolchain than CI's")
    }
  }

  @Test func theVersionIsRead() {
    #expect(Self.toolsVersion("// swift-tools-version: 6.2\nimport X\n") == "6.2")
    #expect(Self.toolsVersion("import X\n// swift-tools-version: 6.2\n") == nil)
  }
}
