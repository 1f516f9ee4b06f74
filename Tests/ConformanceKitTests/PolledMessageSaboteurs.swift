import SocketKit
import SocketKitConformance

/// Sound datagrams under a broken poller.
private func polled<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: PollerFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverMessageSuite<FaultyPoller<EpollPoller, G>, FaultyDatagramSocket<NoMessageFault>>(
      crime, of: datagrams(NoMessageFault.self))
  }
  return Saboteur(crime, "poller-message.\(rule)", suite(F.self), suite(NoFault.self))
}

/// Broken datagrams under a sound poller.
private func polledDatagrams<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: MessageFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverMessageSuite<EpollPoller, FaultyDatagramSocket<G>>(crime, of: datagrams(G.self))
  }
  return Saboteur(crime, "poller-message.\(rule)", suite(F.self), suite(NoMessageFault.self))
}

private func polledPackets<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: MessageFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverMessageSuite<EpollPoller, FaultyPacketSocket<G>>(crime, of: packets(G.self))
  }
  return Saboteur(crime, "poller-message.\(rule)", suite(F.self), suite(NoMessageFault.self))
}

private func polledContinued<F: ContinuationFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: ContinuationFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverMessageSuite<EpollPoller, ContinuingPacketSocket<G>>(crime, of: continuing(G.self))
  }
  return Saboteur(crime, "poller-message.\(rule)", suite(F.self), suite(NoContinuationFault.self))
}

private func delayed<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: PollerFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverMessageSuite<FaultyPoller<EpollPoller, G>, FaultyUDPSocket<NoMessageFault>>(
      crime,
      of: DatagramSuite("UDP", [.connected, .refusals, .delayedErrors]) { try FaultyUDPSocket<NoMessageFault>.pair() })
  }
  return Saboteur(crime, "poller-message.\(rule)", suite(F.self), suite(NoFault.self))
}

enum PolledMessageSaboteurs {
  static let all = [
    polled("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "readable"),
    polled("never reports writable", NeverWritable.self, "writable"),
    polled("loses events", LosesEvents.self, "count"),
    polled("reports the last events again", RepeatsItself.self, "readable.truncated"),
    polledDatagrams("reports more than it received", ReportsMoreThanReceived.self, "readable.batch"),
    polled("never reports writable", NeverWritable.self, "writable.full"),
    polled("reports the last events again", RepeatsItself.self, "deregister"),
    polled("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "level"),
    polledDatagrams("merges two messages", MergesTwo.self, "edge"),
    polled("loses wake-ups that occur before the wait", LosesEarlyWakes.self, "one-shot"),
    polledPackets("reports the end as an empty packet", TakesTheEndForEmpty.self, "end.close"),
    polledPackets("ignores a shutdown", SwallowsMessageShutdown.self, "end.half-close"),
    polledDatagrams("sends a batch twice", SendsABatchTwice.self, "echo"),
    polledPackets("reports an empty packet as the end", TakesEmptyForTheEnd.self, "readable.empty"),
    polledContinued("drops the rest of a long message", LosesTheRest.self, "readable.continued"),
    delayed("does not report the end of a connection", SwallowsEnds.self, "error"),
  ]
}
