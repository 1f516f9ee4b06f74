import SocketKitConformance
import TestSupport
import Testing

/// The table of rules and saboteurs says what is so, and leaves no rule out.
@Suite(.exclusive) struct RuleTableTests {
  @Test func everyRuleHasASaboteur() {
    let claims = RuleTable.rules.filter { RuleTable.breakers(of: $0.id).isEmpty }
    #expect(claims.map(\.id) == [], "Nothing is known to break these rules: add a saboteur for each.")
  }

  @Test func everySaboteurNamesARule() {
    let ids = Set(RuleTable.rules.map(\.id))
    #expect(RuleTable.saboteurs.map(\.rule).filter { !ids.contains($0) } == [])
  }

  @Test func theTableIsWritten() {
    if environmentVariable("SOCKETKIT_WRITE_RULES") != nil { RuleTable.write(RuleTable.text, to: RuleTable.path) }
    #expect(
      RuleTable.read(RuleTable.path) == RuleTable.text,
      "Tests/Rules.md is out of date: SOCKETKIT_WRITE_RULES=1 swift test --filter RuleTableTests writes it.")
  }
}
