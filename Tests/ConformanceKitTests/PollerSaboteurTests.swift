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

@Suite(.exclusive) struct PollerSaboteurTests {
  static let saboteurs = [
    poll("reports after deregistering", ReportsAfterDeregistering.self, "deregister.silent"),
    epoll("loses early wake-ups", LosesEarlyWakes.self, "wake.before-wait"),
    epoll("loses early wake-ups", LosesEarlyWakes.self, "wake.every-one"),
    epoll("loses one wake-up in a thousand", LosesOneWakeInAThousand.self, "wake.every-one-before"),
    epoll("clears its wake-ups late", ClearsWakesLate.self, "cancel.any-moment"),
    poll("clears its wake-ups late", ClearsWakesLate.self, "cancel.deadline-any-moment"),
    epoll("reports room once", ReportsRoomOnce.self, "report.writable"),
    epoll("keeps a backlog", KeepsABacklog.self, "deregister.backlog"),
    poll("keeps a backlog", KeepsABacklog.self, "deregister.backlog"),
    epoll("counts microseconds in 32 bits", Overflows<Microseconds32>.self, "deadline.distant"),
    epoll("counts milliseconds in 31 bits", Overflows<Milliseconds31>.self, "deadline.distant"),
    poll("counts milliseconds in 32 bits", Overflows<Milliseconds32>.self, "deadline.distant"),
    epoll("counts milliseconds", CountsMilliseconds.self, "deadline.precise"),
    epoll("swallows errors", SwallowsErrors.self, "report.error"),
    poll("reports errors with data", ReportsErrorsWithData.self, "report.error"),
    epoll("ignores urgent data", IgnoresUrgentData.self, "report.priority"),
    epoll("loses the edge when modified", LosesTheEdgeWhenModified.self, "edge.rearm"),
    epoll("wakes everybody", WakesEverybody.self, "exclusive.few"),
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
    epoll("looks at the deadline only", LooksAtTheDeadline.self, "report.during-wait"),
    epoll("takes never for past", NeverIsPast.self, "report.never-deadline"),
    epoll("remembers old tokens", RemembersOldTokens.self, "report.token"),
    epoll("ignores the end of reading", IgnoresTheReadingEnd.self, "report.read-closed"),
    epoll("reports room once", ReportsRoomOnce.self, "report.two-sources"),
    epoll("eats data", EatsData.self, "report.same-for-two-pollers"),
    epoll("serves the first only", ServesTheFirstOnly.self, "crowd.beyond-capacity"),
    epoll("reports after deregistering", ReportsAfterDeregistering.self, "crowd.one-of-many"),
    epoll("keeps a backlog", KeepsABacklog.self, "crowd.churn"),
    epoll("remembers old tokens", RemembersOldTokens.self, "register.again"),
    epoll("never reports room to write", NeverWritable.self, "modify.acts"),
    epoll("takes any source", TakesAnything.self, "modify.unknown"),
    epoll("reports after deregistering", ReportsAfterDeregistering.self, "deregister.unknown"),
    epoll("takes any source", TakesAnything.self, "register.closed"),
    epoll("ignores pauses", IgnoresPauses.self, "interest.empty-hang-up"),
    epoll("serves the first only", ServesTheFirstOnly.self, "one-shot.nothing-lost"),
    epoll("serves the first only", ServesTheFirstOnly.self, "edge.nothing-lost"),
    epoll("drops exclusive interest", DropsExclusiveInterest.self, "exclusive.reports"),
    epoll("notices wake-ups late", NoticesWakesLate.self, "wake.other-thread"),
    epoll("notices wake-ups late", NoticesWakesLate.self, "wake.coalesced"),
    epoll("notices wake-ups late", NoticesWakesLate.self, "wake.storm"),
    epoll("serves the first only", ServesTheFirstOnly.self, "wake.with-events"),
    epoll("closes its bell", ClosesItsBell.self, "wake.after-end"),
    epoll("takes level for edge", LevelIsEdge.self, "deadline.past"),
    epoll("ignores pauses", IgnoresPauses.self, "idle.end-read"),
    Saboteur(
      "forgets close-on-exec", "poller.descriptor.close-on-exec", PollerSuite<InheritedPoller>("inherited"),
      PollerSuite<EpollPoller>("epoll")),
  ]

  @Test(arguments: saboteurs + PolledStreamSaboteurs.all) func caught(_ saboteur: Saboteur) throws {
    try saboteur.mustBeCaught()
  }
}
