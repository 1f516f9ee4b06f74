import Glibc
import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// A conformer broken on purpose, and the rule that must see it.
struct Saboteur: Sendable, CustomTestStringConvertible {
  /// What it does wrong.
  let crime: String
  let rule: String
  let broken: any ConformanceSuite
  /// The same, unbroken.
  let sound: any ConformanceSuite
  var testDescription: String { "\(crime): \(rule)" }

  init(_ crime: String, _ rule: String, _ broken: any ConformanceSuite, _ sound: any ConformanceSuite) {
    self.crime = crime
    self.rule = rule
    self.broken = broken
    self.sound = sound
  }

  func mustBeCaught() throws {
    defer { Leaks.sweep() }
    let accused = try #require(broken.rules.first { $0.id == rule }, "no rule \(rule)")
    let before = openDescriptors()
    let outcome = Haste.during { accused.run() }
    // What a rule began in other threads may go on for a while when it fails: a server for 15 seconds.
    let deadline = Deadline.after(.seconds(20))
    while openDescriptors().count > before.count && !deadline.hasPassed {
      Leaks.sweep()
      usleep(5000)
    }
    #expect(outcome.isFailure, "\(crime): \(rule) says \(outcome)")
    let innocent = try #require(sound.rules.first { $0.id == rule })
    #expect(innocent.run() == .passed, "the unbroken one does not pass \(rule)")
  }
}

/// How long a conformer sleeps that sleeps too long: more than the kit allows one that is known to be broken (`Haste`).
let tooLong = Duration.milliseconds(700)
