import TestSupport
import Testing

/// No test opens a vsock connection outside the guest kernel.
@Suite(.exclusive) struct GateRuleTests {
  @Test func everySuiteThatNamesVsockSocketsIsOnlyForTheGuest() {
    let sources = ["Tests", "Plugins", "Snippets"].flatMap { Repository.files("\(Repository.root)/\($0)") }
      .filter { path in [".swift", ".c", ".h"].contains { path.hasSuffix($0) } }
    // What runs outside the guest and is no test is among them.
    for folder in [
      "Tests/Outside/Client/Sources", "Tests/Programs/Sources", "Tests/Fuzz/Sources", "Snippets", "Plugins",
    ] {
      #expect(sources.contains { $0.hasPrefix("\(Repository.root)/\(folder)/") })
    }
    #expect(sources.count > 150)
    let (complaints, naming) = VsockGate(sources.map { ($0, Repository.text($0) ?? "") }).complaints()
    for complaint in complaints { Issue.record("\(complaint)") }
    // GuestKernelTests at least.
    #expect(naming >= 1)
  }

  /// The guest's compositions, without the question that they begin with.
  @Test func theOutsideClientMustAskForTheGuest() throws {
    let folder = "\(Repository.root)/Tests/Outside/Client/Sources/outside/"
    let sources = Repository.files(folder).filter { $0.hasSuffix(".swift") }.map { ($0, Repository.text($0) ?? "") }
    #expect(VsockGate(sources).complaints().texts.isEmpty)
    for (right, wrong) in [
      ("guard isGuestKernel() else", "guard true else"), ("\"socketkit.guest\"", "\"\""),
      ("\"/proc/cmdline\"", "\"/x\""),
    ] {
      let changed = sources.map { ($0.0, $0.1.replacing(right, with: wrong)) }
      #expect(zip(changed, sources).count { $0.1 != $1.1 } == 1)
      let complaints = VsockGate(changed).complaints().texts
      #expect(complaints.count == 1 && complaints.allSatisfy { $0.contains("/Main.swift: a program") }, "\(complaints)")
    }
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

  /// Sources that break it by text: each of one test, or of helpers and one.
  private static let badTexts: [[(path: String, text: String)]] =
    [
      "VscpCommand.run([\"--to\", \"\(word)://2:22\", \"f\"], console: c)",
      "VscpEnd([\"--listen\", \"\(word)://any:*\"])",
      "VscpEnd([\"-s\", \"-c\", \"2\", \"-p\", \"1\"])", "VscpCommand.run(\n    [\"-r\"], console: c)",
      "VscpEnd(words)",
      "VscpEnd([\"-r\", \"\\(folder.path)/x\"])",
      "PeerProcess([tool, \"vscp\", \"--to\", \"\(word.uppercased())://2:22\"])",
      "AnyEndpoint(parsing: \"\(word)://host:1\").visit(with: &a)",
      "AnyEndpoint(parsing: \"\(word)-seqpacket://host:1\").visit(with: &a)",
      "S.connect(to: S.endpointFormat.parse(body(\"\(word)://\\(x):1\")), until: t)",
      "S.listen(\n    on: S.endpointFormat\n      .parse(l(\"\(word)\")))",
      "S.bind(to: S.endpointFormat.parse(l(\"\(word)-dgram://any:1\")))",
    ].map { [("A.swift", "@Suite struct A {\n  @Test func a() { \($0) }\n}\n")] } + [
      [
        ("Helper.swift", "func dial(_ text: String) {\n  text.visit(with: a)\n}\nfunc other() {}\n"),
        ("Other.swift", "enum Dialer {\n  static func call(_ text: String) { dial(text) }\n}\n"),
        ("A.swift", "@Suite struct A {\n  @Test func a() { Dialer.call(\"\(word)://2:1\") }\n}\n"),
      ],
      [
        ("Texts.swift", "enum Texts {\n  static let far = \"\(word)://2:1\"\n}\n"),
        ("A.swift", "@Suite struct A {\n  @Test func a() { AnyEndpoint(parsing: Texts.far).visit(with: &a) }\n}\n"),
      ],
      [("Helper.swift", "func dial() {\n  VscpEnd([\"-r\"])\n}\n")],
      [("/Snippets/VsockClient.swift", "let s = try \(socket).connect(to: a)\n")],
      [("/Snippets/Client.swift", "try AnyEndpoint(parsing: \"\(word)://host:1\").visit(with: &a)\n")],
      [("VsockMain.swift", "@main struct Main {\n  static func main() { \(socket).connect() }\n}\n")],
      [("VsockFuzz.swift", "@_cdecl(\"one\") func one() { \(socket).connect() }\n")],
      [("loop.c", "int f(void) { return socket(AF_\(word.uppercased()), SOCK_STREAM, 0); }\n")],
      // A question that anybody answers with yes.
      [
        ("VsockAll.swift", "func all() {\n  guard isGuestKernel() else { return }\n  \(socket).connect()\n}\n"),
        ("Main.swift", "@main struct Main {\n  static func main() { all() }\n}\n"),
      ],
    ]

  @Test(arguments: badTexts.indices) func whatOpensByTextIsReported(_ index: Int) {
    let (complaints, naming) = VsockGate(Self.badTexts[index]).complaints()
    #expect(complaints.count == 1 && naming >= 1, "\(complaints)")
  }

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
      ("D.swift", "@Suite struct D {\n  @Test func a() { AnyEndpoint(parsing: \"vsock://2:1\").description }\n}\n"),
      ("E.swift", "@Suite struct E {\n  @Test func a() { VscpOptions([\"-s\", \"-c\", \"2\"]) }\n}\n"),
      (
        "F.swift",
        """
        // As vsock://2:1 would.
        @Suite struct F {
          @Test func a() { VscpEnd(["-s", "--to", "unix:@", "\\(folder.path)/x"] + words) }
          @Test func b() { AnyEndpoint(parsing: "udp://localhost:0").visit(with: &a) }
          @Test func c() { text("unavailable: no vsock") }
        }
        """
      ),
      ("G.swift", "@Suite(.guestOnly) struct G {\n  @Test func a() { VscpEnd([\"-r\"]) }\n}\n"),
      ("H.swift", "func end(_ words: [String]) { VscpEnd(words) }\nfunc text() {}\n"),
      ("I.swift", "@Suite struct I {\n  @Test func a() { text(\"vsock://2:1\") }\n}\n"),
    ]
    let (complaints, naming) = VsockGate(good).complaints()
    #expect(complaints.isEmpty && naming == 5, "\(complaints)")
  }
}
