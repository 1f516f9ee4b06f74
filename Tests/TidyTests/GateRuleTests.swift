import TestSupport
import Testing

/// No test opens a vsock connection outside the guest kernel.
@Suite(.exclusive) struct GateRuleTests {
  @Test func everySuiteThatNamesVsockSocketsIsOnlyForTheGuest() {
    let tests = Repository.files("\(Repository.root)/Tests").filter { path in
      path.split(separator: "/").contains { $0.hasSuffix("Tests") && $0 != "Tests" || $0 == "TestSupport" }
    }
    let plugins = Repository.files("\(Repository.root)/Plugins").filter { $0.contains("/Tests/") }
    let sources = (tests + plugins).filter { $0.hasSuffix(".swift") }
    #expect(sources.count > 50)
    let (complaints, naming) = VsockGate(sources.map { ($0, Repository.text($0) ?? "") }).complaints()
    for complaint in complaints { Issue.record("\(complaint)") }
    // GuestKernelTests at least.
    #expect(naming >= 1)
  }

  // In pieces, or this file would name them itself.
  private static let socket = "Vsock" + "StreamSocket"
  private static let word = "vsock"

  /// Sources that break the rule.
  private static let bad: [[(path: String, text: String)]] = [
    [("A.swift", "@Suite(.exclusive) struct A {\n  @Test func a() { \(socket).connect() }\n}\n")],
    [("A.swift", "@Suite(.exclusive)\nstruct A {\n  // .guestOnly\n  @Test func a() { \(socket).connect() }\n}\n")],
    [("A.swift", "struct A {\n  @Test func a() { \(socket).connect() }\n}\n")],
    [("A.swift", "@Test func a() {\n  \(socket).connect()\n}\n")],
    [("A.swift", "extension B {\n  @Test func a() { \(socket).connect() }\n}\n")],
    [
      ("A.swift", "extension B {\n  @Test func a() { \(socket).connect() }\n}\n"),
      ("B.swift", "@Suite(.exclusive) struct B {\n  @Test func a() {}\n}\n"),
    ],
    [
      (
        "A.swift",
        """
        @Suite(.exclusive, .guestOnly) struct A {
          @Test func a() { \(socket).connect() }
        }

        @Suite(.exclusive) struct B {
          @Test func a() {}
        }
        """
      )
    ],
    [
      (
        "A.swift",
        "@Suite struct A {\n  let words = [\"python3\", \"socket.AF_\(word.uppercased())\"]\n  @Test func a() {}\n}\n"
      )
    ],
    [("A.swift", "@Suite struct A {\n  let words = [\"ncat\", \"--\(word)\"]\n  @Test func a() {}\n}\n")],
    [("A.swift", "@Suite struct A {\n  @Test func a() { GenericStreamSocket.open(.vsock) }\n}\n")],
    [("A.swift", "@Suite struct A {\n  @Test func a() { text(\"x\\(dial(\(socket).self))\") }\n}\n")],
    [("Helper.swift", "func dial() { \(socket).connect() }\n")],
    [
      ("VsockHelper.swift", "func dial() { \(socket).connect() }\n"),
      ("A.swift", "@Suite struct A {\n  @Test func a() { dial() }\n}\n"),
    ],
    [
      ("VsockHelper.swift", "extension Suites {\n  static let far = [\(socket).self]\n}\n"),
      ("VsockOther.swift", "func all() { Suites.far }\n"),
      ("A.swift", "@Suite struct A {\n  @Test(arguments: all()) func a() {}\n}\n"),
    ],
  ]

  @Test(arguments: bad.indices) func whatBreaksTheRuleIsReported(_ index: Int) {
    let (complaints, naming) = VsockGate(Self.bad[index]).complaints()
    #expect(complaints.count == 1 && naming >= 1, "\(complaints)")
  }

  @Test func whatKeepsItIsNot() {
    let good: [(path: String, text: String)] = [
      ("A.swift", "@Suite(.exclusive, .guestOnly) struct A {\n  @Test func a() { \(Self.socket).connect() }\n}\n"),
      ("A2.swift", "extension A {\n  @Test func b() { dial() }\n}\n"),
      ("A3.swift", "@Suite(\n  .exclusive,\n  .guestOnly)\nstruct A3 {\n  @Test func b() { dial() }\n}\n"),
      ("VsockHelper.swift", "func dial() { \(Self.socket).connect() }\nprivate func text() {}\n"),
      (
        "B.swift", "@Suite struct B {\n  @Test func a() { text(VsockAddress(\"vsock://1:2\")) }  // \(Self.socket)\n}\n"
      ),
      ("C.swift", "@Suite struct C {\n  @Test func a() { text(.vsock(1, 2)) }\n}\n"),
    ]
    let (complaints, naming) = VsockGate(good).complaints()
    #expect(complaints.isEmpty && naming == 4, "\(complaints)")
  }
}
