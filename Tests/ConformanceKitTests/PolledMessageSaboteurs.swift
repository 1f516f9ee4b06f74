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
    polled("takes level for edge", LevelIsEdge.self, "readable"),
    polled("never reports room to write", NeverWritable.self, "writable"),
    polled("loses events", LosesEvents.self, "count"),
    polled("repeats itself", RepeatsItself.self, "readable.truncated"),
    polledDatagrams("reports more than it received", ReportsMoreThanReceived.self, "readable.batch"),
    polled("never reports room to write", NeverWritable.self, "writable.full"),
    polled("repeats itself", RepeatsItself.self, "deregister"),
    polled("takes level for edge", LevelIsEdge.self, "level"),
    polledDatagrams("merges two messages", MergesTwo.self, "edge"),
    polled("loses early wake-ups", LosesEarlyWakes.self, "one-shot"),
    polledPackets("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.close"),
    polledPackets("swallows a shutdown", SwallowsMessageShutdown.self, "end.half-close"),
    polledDatagrams("sends a batch twice", SendsABatchTwice.self, "echo"),
    polledPackets("takes an empty packet for the end", TakesEmptyForTheEnd.self, "readable.empty"),
    polledContinued("loses the rest", LosesTheRest.self, "readable.continued"),
    delayed("swallows ends", SwallowsEnds.self, "error"),
  ]
}
