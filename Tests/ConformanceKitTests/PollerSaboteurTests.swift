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
    epoll("loses wake-ups that occur before the wait", LosesEarlyWakes.self, "wake.before-wait"),
    epoll("loses wake-ups that occur before the wait", LosesEarlyWakes.self, "wake.every-one"),
    epoll("loses one wake-up in a thousand", LosesOneWakeInAThousand.self, "wake.every-one-before"),
    epoll("clears wake-ups that arrive while it processes changes", ClearsWakesLate.self, "cancel.any-moment"),
    poll("clears wake-ups that arrive while it processes changes", ClearsWakesLate.self, "cancel.deadline-any-moment"),
    epoll("reports writable only once", ReportsRoomOnce.self, "report.writable"),
    epoll("keeps old events for later waits", KeepsABacklog.self, "deregister.backlog"),
    poll("keeps old events for later waits", KeepsABacklog.self, "deregister.backlog"),
    epoll("stores microseconds in 32 bits", Overflows<Microseconds32>.self, "deadline.distant"),
    epoll("stores milliseconds in 31 bits", Overflows<Milliseconds31>.self, "deadline.distant"),
    poll("stores milliseconds in 32 bits", Overflows<Milliseconds32>.self, "deadline.distant"),
    epoll("rounds deadlines up to milliseconds", CountsMilliseconds.self, "deadline.precise"),
    epoll("does not report errors", SwallowsErrors.self, "report.error"),
    poll("reports an error with every event", ReportsErrorsWithData.self, "report.error"),
    epoll("does not report urgent data", IgnoresUrgentData.self, "report.priority"),
    epoll("changes to level-triggered mode when modified", LosesTheEdgeWhenModified.self, "edge.rearm"),
    epoll("wakes all waiting pollers of an exclusive registration", WakesEverybody.self, "exclusive.few"),
    epoll("reports the first token of a descriptor number", RemembersOldTokens.self, "descriptor.reused-number"),
    epoll("reports the first token of a descriptor number", RemembersOldTokens.self, "descriptor.stale-event"),
    epoll("ends a wait on a signal", EndsOnSignals.self, "signal.waits-on"),
    poll("ends a wait on a signal", EndsOnSignals.self, "signal.event"),
    epoll("returns an error when a signal handler runs", SpuriousErrorOnSignals.self, "signal.waits-on"),
    epoll("spins while it waits", BurnsTime.self, "idle.sleeps"),
    epoll("spins while it waits", BurnsTime.self, "idle.closed-peer"),
    epoll("sleeps too long", SleepsTooLong.self, "deadline.kept"),
    poll("wakes early", WakesEarly.self, "deadline.kept"),
    poll("reports only the first event", ServesTheFirstOnly.self, "crowd.many-ready"),
    epoll("watches for reading although the interest is empty", IgnoresPauses.self, "interest.empty"),
    epoll("reports a one-shot registration more than once", FiresTwice.self, "one-shot.once"),
    epoll("uses level-triggered mode instead of edge-triggered mode", EdgeIsLevel.self, "edge.once"),
    epoll("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "level.repeats"),
    epoll("accepts a mode that it does not report as a capability", TakesWhatItLacks.self, "mode.lacking"),
    epoll(
      "reports an unsupported combination of modes as an invalid argument", CallsModesInvalid.self, "mode.together"),
    epoll("reports readiness that was not requested", ReportsUnasked.self, "report.writable"),
    poll("does not report hang-ups", SwallowsHangUps.self, "report.hang-up"),
    poll("accepts a second registration", RegistersTwice.self, "register.twice"),
    poll(
      "discards reported events when a source is registered", ForgetsEventsOnRegister.self, "crowd.changes-in-batch"),
    poll("spins on a closed descriptor", SpinsOnClosed.self, "descriptor.closed-registered"),
    epoll("loses events", LosesEvents.self, "report.nothing-lost"),
    epoll("checks for events only at the deadline", LooksAtTheDeadline.self, "report.during-wait"),
    epoll("treats a deadline of never as past", NeverIsPast.self, "report.never-deadline"),
    epoll("reports the first token of a descriptor number", RemembersOldTokens.self, "report.token"),
    epoll("does not report the end of reading", IgnoresTheReadingEnd.self, "report.read-closed"),
    epoll("reports writable only once", ReportsRoomOnce.self, "report.two-sources"),
    epoll("reads data from the sockets", EatsData.self, "report.same-for-two-pollers"),
    epoll("reports only the first event", ServesTheFirstOnly.self, "crowd.beyond-capacity"),
    epoll("reports after deregistering", ReportsAfterDeregistering.self, "crowd.one-of-many"),
    epoll("keeps old events for later waits", KeepsABacklog.self, "crowd.churn"),
    epoll("reports the first token of a descriptor number", RemembersOldTokens.self, "register.again"),
    epoll("never reports writable", NeverWritable.self, "modify.acts"),
    epoll("accepts a source that is closed or not registered", TakesAnything.self, "modify.unknown"),
    epoll("reports after deregistering", ReportsAfterDeregistering.self, "deregister.unknown"),
    epoll("accepts a source that is closed or not registered", TakesAnything.self, "register.closed"),
    epoll("watches for reading although the interest is empty", IgnoresPauses.self, "interest.empty-hang-up"),
    epoll("reports only the first event", ServesTheFirstOnly.self, "one-shot.nothing-lost"),
    epoll("reports only the first event", ServesTheFirstOnly.self, "edge.nothing-lost"),
    epoll("does not report events of exclusive registrations", DropsExclusiveInterest.self, "exclusive.reports"),
    epoll("returns late after a wake-up", NoticesWakesLate.self, "wake.other-thread"),
    epoll("returns late after a wake-up", NoticesWakesLate.self, "wake.coalesced"),
    epoll("returns late after a wake-up", NoticesWakesLate.self, "wake.storm"),
    epoll("reports only the first event", ServesTheFirstOnly.self, "wake.with-events"),
    epoll("closes the descriptor of its waker", ClosesItsBell.self, "wake.after-end"),
    epoll("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "deadline.past"),
    epoll("watches for reading although the interest is empty", IgnoresPauses.self, "idle.end-read"),
    Saboteur(
      "does not set close-on-exec", "poller.descriptor.close-on-exec", PollerSuite<InheritedPoller>("inherited"),
      PollerSuite<EpollPoller>("epoll")),
  ]

  /// A thousand slow waits take longer than the time-out of one wait.
  @Test func aSlowPollerPasses() throws {
    let suite = PollerSuite<FaultyPoller<EpollPoller, IsSlow>>("slow")
    let rule = try #require(suite.rules.first { $0.id == "poller.wake.every-one" })
    #expect(rule.run(timeLimit: .seconds(60)) == .passed)
  }

  @Test(arguments: saboteurs + PolledStreamSaboteurs.all) func caught(_ saboteur: Saboteur) throws {
    try saboteur.mustBeCaught()
  }
}
