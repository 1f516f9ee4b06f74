import SocketKit
import SocketKitConformance
import TestSupport
import Testing

private func epoll<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(
    crime, "poller.\(rule)", PollerSuite<FaultyPoller<EpollPoller, F>>(crime),
    PollerSuite<FaultyPoller<EpollPoller, NoFault>>("faultless"))
}

private func poll<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(
    crime, "poller.\(rule)", PollerSuite<FaultyPoller<PollPoller, F>>(crime),
    PollerSuite<FaultyPoller<PollPoller, NoFault>>("faultless"))
}

private func server<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: PollerFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverStreamSuite<FaultyPoller<EpollPoller, G>, UnixStreamSocket>(crime) { try UnixStreamSocket.pair() }
  }
  return Saboteur(crime, "poller-stream.\(rule)", suite(F.self), suite(NoFault.self))
}

@Suite(.exclusive) struct PollerSaboteurTests {
  static let saboteurs = [
    poll("reports after deregistering", ReportsAfterDeregistering.self, "deregister.silent"),
    epoll("loses early wake-ups", LosesEarlyWakes.self, "wake.before-wait"),
    epoll("loses early wake-ups", LosesEarlyWakes.self, "wake.every-one"),
    epoll("remembers old tokens", RemembersOldTokens.self, "descriptor.reused-number"),
    epoll("remembers old tokens", RemembersOldTokens.self, "descriptor.stale-event"),
    epoll("ends a wait on a signal", EndsOnSignals.self, "signal.waits-on"),
    poll("ends a wait on a signal", EndsOnSignals.self, "signal.event"),
    epoll("makes an error of a signal", SpuriousErrorOnSignals.self, "signal.waits-on"),
    epoll("burns time", BurnsTime.self, "idle.sleeps"),
    epoll("burns time", BurnsTime.self, "idle.closed-peer"),
    epoll("sleeps too long", SleepsTooLong.self, "deadline.kept"),
    poll("wakes early", WakesEarly.self, "deadline.kept"),
    poll("serves the first only", ServesTheFirstOnly.self, "crowd.many-ready"),
    server("takes level for edge", LevelIsEdge.self, "level"),
    server("never reports room to write", NeverWritable.self, "writable"),
    server("reports after deregistering", ReportsAfterDeregistering.self, "end.idle"),
    epoll("ignores pauses", IgnoresPauses.self, "interest.empty"),
    epoll("fires twice", FiresTwice.self, "one-shot.once"),
    epoll("takes edge for level", EdgeIsLevel.self, "edge.once"),
    epoll("takes level for edge", LevelIsEdge.self, "level.repeats"),
    epoll("takes a mode that it lacks", TakesWhatItLacks.self, "mode.lacking"),
    epoll("calls modes invalid", CallsModesInvalid.self, "mode.together"),
    epoll("reports what was not asked for", ReportsUnasked.self, "report.writable"),
    poll("swallows hang-ups", SwallowsHangUps.self, "report.hang-up"),
    poll("registers twice", RegistersTwice.self, "register.twice"),
    poll("forgets events on register", ForgetsEventsOnRegister.self, "crowd.changes-in-batch"),
    poll("spins on a closed descriptor", SpinsOnClosed.self, "descriptor.closed-registered"),
    epoll("loses events", LosesEvents.self, "report.nothing-lost"),
    Saboteur(
      "forgets close-on-exec", "poller.descriptor.close-on-exec", PollerSuite<InheritedPoller>("inherited"),
      PollerSuite<EpollPoller>("epoll")),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }
}
