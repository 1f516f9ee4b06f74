import SocketKit
import SocketKitConformance

/// Sound streams under a broken poller.
private func server<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: PollerFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverStreamSuite<FaultyPoller<EpollPoller, G>, UnixStreamSocket>(crime) { try UnixStreamSocket.pair() }
  }
  return Saboteur(crime, "poller-stream.\(rule)", suite(F.self), suite(NoFault.self))
}

/// The same, with listeners and connects.
private func connected<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: PollerFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverStreamSuite<FaultyPoller<EpollPoller, G>, TCPSocket>(crime) { .loopback(port: 0) }
  }
  return Saboteur(crime, "poller-stream.\(rule)", suite(F.self), suite(NoFault.self))
}

/// Broken streams under a sound poller.
private func served<F: StreamFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: StreamFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverStreamSuite<EpollPoller, FaultySocket<G>>(crime) { try FaultySocket<G>.pair() }
  }
  return Saboteur(crime, "poller-stream.\(rule)", suite(F.self), suite(Faultless.self))
}

enum PolledStreamSaboteurs {
  static let all = [
    server("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "level"),
    server("never reports writable", NeverWritable.self, "writable"),
    server("reports after deregistering", ReportsAfterDeregistering.self, "end.idle"),
    server("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "readable"),
    server("does not report the end of a connection", SwallowsEnds.self, "end.close"),
    server("does not report the end of reading", IgnoresTheReadingEnd.self, "end.half-close"),
    served("duplicates data", Duplicates.self, "edge"),
    served("duplicates data", Duplicates.self, "one-shot"),
    served("duplicates data", Duplicates.self, "echo.many"),
    served("duplicates data", Duplicates.self, "echo.bulk"),
    served("duplicates data", Duplicates.self, "echo.slow-reader"),
    server("reports no other source while the first source is active", PrefersTheFirst.self, "echo.fairness"),
    served("returns the end of the stream too early", EndsEarly.self, "echo.closing"),
    connected("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "accept.reported"),
    connected("reports after deregistering", ReportsAfterDeregistering.self, "shutdown.reported"),
    connected("never reports writable", NeverWritable.self, "connect.writable"),
    connected("does not report the end of a connection", SwallowsEnds.self, "connect.refused"),
    connected("reports the first token of a descriptor number", RemembersOldTokens.self, "echo.listener"),
  ]
}
