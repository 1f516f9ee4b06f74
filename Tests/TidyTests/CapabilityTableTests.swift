import TestSupport
import Testing

/// Every capability has a test, and none of those tests is gone.
@Suite(.exclusive) struct CapabilityTableTests {
  @Test func everyCapabilityIsProvedByATestThatIsThere() throws {
    let table = CapabilityTable(try #require(Repository.text("\(Repository.root)/Tests/Capabilities.md")))
    let known = CapabilityTable.Known.ofRepository()
    #expect(known.tests.count > 500 && known.rules.count > 200 && known.ci.contains("swift test"))
    for complaint in table.complaints(known) { Issue.record("\(complaint)") }
    // A capability that goes takes this number with it, where a reader of the change sees it.
    #expect(table.rows.count == 88)
    let readme = try #require(Repository.text("\(Repository.root)/README.md"))
    #expect(table.rows.count { $0.proof == "not a goal" } == 1 && readme.contains("systems other than Linux"))
  }

  private static let known = {
    var known = CapabilityTable.Known()
    known.tests = ["T/S/t", "T/S/u"]
    known.rules = ["stream.end"]
    known.ci = "#!/bin/bash\nTests/Counts/run\n"
    return known
  }()

  private func complaints(_ proof: String) -> [String] {
    CapabilityTable("# Title\n\n| area | capability | proved by |\n| --- | --- | --- |\n| A | it flies | \(proof) |\n")
      .complaints(Self.known)
  }

  @Test(arguments: [
    "`T/S/t`", "`T/S/t` `T/S/u`", "`rule:stream.end`", "`ci:Tests/Counts/run`", "later: async", "not a goal",
  ])
  func whatIsThereIsTaken(_ proof: String) { #expect(complaints(proof) == []) }

  @Test(arguments: [
    ("`T/S/x`", "it flies: T/S/x is gone"), ("`T/S/t` `T/X/t`", "it flies: T/X/t is gone"),
    ("`rule:stream.begin`", "it flies: rule:stream.begin is gone"),
    ("`ci:Tests/Count/run`", "it flies: ci:Tests/Count/run is gone"),
    ("`ci:Counts/run`", "it flies: ci:Counts/run is gone"),
    ("", "it flies: names no test"), ("by hand", "it flies: names no test"),
    ("`T/S/t` by hand", "it flies: has more than names: `T/S/t` by hand"),
    ("later: teleportation", "it flies: no later change brings teleportation"),
    ("pending: branch x", "it flies: has no test yet: pending: branch x"),
  ])
  func whatIsNotIsReported(_ proof: String, _ complaint: String) { #expect(complaints(proof) == [complaint]) }

  @Test func aRowTwiceIsReported() {
    let row = "| A | it flies | `T/S/t` |\n"
    let text = "| area | capability | proved by |\n| --- | --- | --- |\n" + row + row
    #expect(CapabilityTable(text).complaints(Self.known) == ["twice: it flies"])
  }

  @Test func testsAreFoundUnderTheirSuites() {
    let source = """
      // @Test func no() {}
      @Suite(.exclusive) struct A {
        private func helper() {}
        @Test func one() { let text = "@Test func no()" }
        @Test(arguments: [1, 2])
        func two(_ number: Int) {}
      }
      extension B {
        @Test func three() {}
      }
      """
    #expect(CapabilityTable.Known.tests(in: source, target: "T") == ["T/A/one", "T/A/two", "T/B/three"])
  }
}
