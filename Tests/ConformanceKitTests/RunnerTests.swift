import Glibc
import SocketKit
import SocketKitConformance
import Synchronization
import TestSupport
import Testing

/// The kit's own machinery: the watchdog, the count of descriptors, the verdict.
@Suite(.exclusive) struct RunnerTests {
  private struct Few: ConformanceSuite {
    let name = "few"
    var rules: [ConformanceRule] {
      [
        ConformanceRule("few.good", "Holds.") {},
        ConformanceRule("few.bad", strength: .optional, "Does not hold.") { throw ConformanceFailure("seen") },
        ConformanceRule("few.absent", "Cannot be tried.") { throw ConformanceUnavailable("no such kernel") },
      ]
    }
  }

  @Test func outcomes() {
    let rules = Few().rules
    #expect(rules[0].run() == .passed)
    #expect(rules[1].run() == .failed(evidence: "seen"))
    #expect(rules[2].run() == .unavailable(cause: "no such kernel"))
    #expect("\(rules[0])" == "few.good")
  }

  @Test func anyErrorIsAFailure() {
    let rule = ConformanceRule("x", "x") { throw SocketError(code: .closed, .read) }
    guard case .failed(let evidence) = rule.run() else { return _ = Issue.record("no failure") }
    #expect(evidence.contains("descriptor is closed"))
  }

  @Test func aHangIsAFailure() {
    let rule = ConformanceRule("x", "x") { usleep(400_000) }
    let start = ContinuousClock.now
    #expect(rule.run(timeLimit: .milliseconds(50)).isFailure)
    #expect(ContinuousClock.now - start < .milliseconds(350))
    #expect(rule.run() == .passed)
  }

  @Test func aLeakIsAFailure() {
    let leaked = Box()
    let rule = ConformanceRule("x", "x") { leaked.number.store(dup(0), ordering: .relaxed) }
    guard case .failed(let evidence) = rule.run() else { return _ = Issue.record("the leak was not seen") }
    let number = leaked.number.load(ordering: .relaxed)
    #expect(evidence.hasPrefix("left open: \(number) ("))
    close(number)
  }

  /// Two suites that a test runner runs in parallel.
  @Test func rulesTakeTurns() {
    let rule = ConformanceRule("x", "x") {
      let number = dup(0)
      usleep(20_000)
      close(number)
    }
    let threads = (0..<4).map { _ in ThreadResult { (0..<5).map { _ in rule.run() } } }
    for thread in threads { #expect(thread.join() == [ConformanceOutcome](repeating: .passed, count: 5)) }
  }

  /// Short time-outs apply to the rule that asked for them, not to the one that runs while it waits for its turn.
  @Test func hasteIsOfTheRuleThatRuns() {
    let started = Box()
    let patient = ConformanceRule("x", "x") {
      started.number.store(1, ordering: .relaxed)
      usleep(50_000)
      if Haste.isOn { throw ConformanceFailure("its time-outs are short") }
    }
    let hasty = ConformanceRule("x", "x") {
      if !Haste.isOn { throw ConformanceFailure("its time-outs are long") }
    }
    let first = ThreadResult { patient.run() }
    while started.number.load(ordering: .relaxed) == 0 { usleep(1000) }
    #expect(Haste.during { hasty.run() } == .passed)
    #expect(first.join() == .passed)
    #expect(patient.run() == .passed)
  }

  @Test func stochasticRulesGetThreeTries() {
    for (strength, wanted) in [(ConformanceRule.Strength.stochastic, 3), (.required, 1), (.optional, 1)] {
      let tries = Box()
      let rule = ConformanceRule("x", strength: strength, "x") {
        tries.number.add(1, ordering: .relaxed)
        throw ConformanceFailure("never")
      }
      #expect(rule.run().isFailure)
      #expect(tries.number.load(ordering: .relaxed) == Int32(wanted))
    }
    let tries = Box()
    let rule = ConformanceRule("x", strength: .stochastic, "x") {
      if tries.number.add(1, ordering: .relaxed).newValue < 3 { throw ConformanceFailure("not yet") }
    }
    #expect(rule.run() == .passed)
  }

  @Test func reports() {
    var strict = ConformanceReport()
    strict.run(Few())
    #expect(strict.summary == "1 passed, 1 failed, 1 unavailable")
    #expect(!strict.isSuccess && strict.exitCode == 1)
    #expect(strict.lines.map { strict.isFatal($0) } == [false, false, true])
    for part in ["few\n", "few.good", "FAILED: seen", "unavailable: no such kernel", "optional"] {
      #expect(strict.table.contains(part))
    }
    #expect("\(strict)" == strict.table)
    // Columns: every time ends at the same place.
    let rows = strict.table.split(separator: "\n").filter { $0.hasPrefix("  ") }
    let places = Set(rows.map { $0.split(separator: " ms  ", maxSplits: 1)[0].count })
    #expect(rows.count == 3 && places.count == 1)
    var lenient = ConformanceReport(allowingUnavailable: ["few.ab"])
    var seen = 0
    lenient.run(Few(), progress: { _ in seen += 1 })
    #expect(seen == 3 && lenient.isSuccess && lenient.exitCode == 0)
    var chosen = ConformanceReport()
    chosen.run(Few(), where: { $0.id == "few.good" })
    #expect(chosen.lines.count == 1 && chosen.isSuccess)
  }

  @Test(arguments: RuleTable.suites.indices) func idsAreUnique(_ suite: Int) {
    let ids = RuleTable.suites[suite].rules.map(\.id)
    #expect(Set(ids).count == ids.count)
  }

  @Test func capabilitiesSpareRules() {
    let all = StreamSocketSuite("all") { try FaultySocket<Faultless>.pair() }
    let none = StreamSocketSuite("none") { try FaultySocket<NoHalfClose>.pair() }
    let spared = Set(all.rules.map(\.id)).subtracting(none.rules.map(\.id))
    #expect(spared == ["stream.end.half-close", "stream.end.own-half-close", "stream.shutdown.read-only"])
  }

  private final class Box: Sendable {
    let number = Atomic<Int32>(0)
  }
}

private enum NoHalfClose: StreamFault {
  static var capabilities: SocketCapabilities { [] }
}
