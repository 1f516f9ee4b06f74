import SocketKit
import SocketKitConformance
import TestSupport
import Testing

private func datagrams<F: MessageFault>(_ fault: F.Type) -> DatagramSuite<FaultyDatagramSocket<F>> {
  DatagramSuite("datagrams", [.connected, .lossless, .refusals, .descriptors, .timestamps]) {
    try FaultyDatagramSocket<F>.pair()
  }
}

private func packets<F: MessageFault>(_ fault: F.Type) -> SequencedPacketSuite<FaultyPacketSocket<F>> {
  SequencedPacketSuite("packets", [.lossless, .timestamps]) { try FaultyPacketSocket<F>.pair() }
}

private func datagram<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "datagram.\(rule)", datagrams(F.self), datagrams(NoMessageFault.self))
}

private func packet<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "packet.\(rule)", packets(F.self), packets(NoMessageFault.self))
}

private func continuing<F: ContinuationFault>(_ fault: F.Type) -> SequencedPacketSuite<ContinuingPacketSocket<F>> {
  SequencedPacketSuite("continuing packets", .lossless) { try ContinuingPacketSocket<F>.pair() }
}

private func continued<F: ContinuationFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "packet.continued\(rule)", continuing(F.self), continuing(NoContinuationFault.self))
}

private func polledContinued<F: ContinuationFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: ContinuationFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverMessageSuite<EpollPoller, ContinuingPacketSocket<G>>(crime, of: continuing(G.self))
  }
  return Saboteur(crime, "poller-message.\(rule)", suite(F.self), suite(NoContinuationFault.self))
}

private func polled<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: PollerFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverMessageSuite<FaultyPoller<EpollPoller, G>, FaultyDatagramSocket<NoMessageFault>>(
      crime, of: datagrams(NoMessageFault.self))
  }
  return Saboteur(crime, "poller-message.\(rule)", suite(F.self), suite(NoFault.self))
}

@Suite(.exclusive) struct MessageSaboteurTests {
  static let datagramSaboteurs = [
    datagram("loses the truncation", LosesTruncation.self, "truncation"),
    datagram("loses the truncation", LosesTruncation.self, "batch.truncation"),
    datagram("loses the truncation", LosesTruncation.self, "receive.empty-buffer"),
    datagram("loses the truncation", LosesTruncation.self, "peek.length"),
    datagram("forgets the truncation's flag", ForgetsTheFlag.self, "truncation.try"),
    datagram("leaks surplus descriptors", LeaksSurplus.self, "descriptors.dropped"),
    datagram("leaks surplus descriptors", LeaksSurplus.self, "descriptors.unasked"),
    datagram("denies that descriptors come", DeniesDescriptors.self, "descriptors.untaken"),
    datagram("swallows empty messages", SwallowsEmpty.self, "empty"),
    datagram("merges two messages", MergesTwo.self, "boundaries"),
    datagram("splits a message", Splits.self, "boundaries"),
    datagram("splits a message", Splits.self, "boundaries.ping-pong"),
    datagram("drops the sender", DropsTheSender.self, "sender"),
    datagram("drops the sender", DropsTheSender.self, "sender.from"),
    datagram("drops the sender", DropsTheSender.self, "sender.batch"),
    datagram("forgets the length, told the sender only", ForgetsTheLength.self, "sender.from"),
    datagram("ignores peek", IgnoresPeek.self, "peek"),
    datagram("drops when full", DropsWhenFull.self, "send.would-block"),
    datagram("drops when full", DropsWhenFull.self, "send.pressure"),
    datagram("cuts what is too large", CutsWhatIsTooLarge.self, "send.too-large"),
    datagram("loses the last of a batch", LosesTheLastOfABatch.self, "batch.order"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "batch.order"),
    datagram("forgets the rest of a batch", ForgetsTheRestOfABatch.self, "batch.partial"),
    datagram("spins in a try", SpinsOverMessages.self, "sleep.receive"),
    datagram("spins in a try", SpinsOverMessages.self, "sleep.send"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.receive"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.rest"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-receive"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-send"),
    datagram("sends a batch twice", SendsABatchTwice.self, "batch.order"),
  ]
  static let packetSaboteurs = [
    packet("spins in a try", SpinsOverMessages.self, "sleep.receive"),
    packet("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-receive"),
    packet("takes an empty packet for the end", TakesEmptyForTheEnd.self, "empty"),
    packet("takes an empty packet for the end", TakesEmptyForTheEnd.self, "end.empty"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.close"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.wakes"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.batch"),
    packet("waits for more after a send took the reset", WaitsAfterAFailedSend.self, "end.reset-by-send"),
    packet("loses the truncation", LosesTruncation.self, "truncation"),
    packet("merges two packets", MergesTwo.self, "boundaries"),
    packet("splits a packet", Splits.self, "send.pressure"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "send.closed-peer"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "end.own-half-close"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "end.reset"),
  ]
  static let continuedSaboteurs = [
    continued("loses the rest", LosesTheRest.self, ""),
    continued("loses the rest", LosesTheRest.self, ".try"),
    continued("loses the rest", LosesTheRest.self, ".batch"),
    continued("ends every piece", EndsEveryPiece.self, ""),
    continued("ends every piece", EndsEveryPiece.self, ".empty-buffer"),
    continued("ends every piece", EndsEveryPiece.self, ".peek"),
    continued("ends no record", EndsNoRecord.self, ".try"),
    polledContinued("loses the rest", LosesTheRest.self, "readable.continued"),
  ]
  static let pollerSaboteurs = [
    polled("takes level for edge", LevelIsEdge.self, "readable"),
    polled("never reports room to write", NeverWritable.self, "writable"),
    polled("loses events", LosesEvents.self, "count"),
  ]

  @Test(arguments: datagramSaboteurs + packetSaboteurs + continuedSaboteurs + pollerSaboteurs) func caught(
    _ saboteur: Saboteur
  ) throws {
    defer {
      LeaksSurplus.sweep()
      DeniesDescriptors.sweep()
    }
    try saboteur.mustBeCaught()
  }

  /// Wrappers with Core's own batches, and packets that are told from the end by their credentials, keep every rule.
  @Test(arguments: datagrams(NoMessageFault.self).rules + packets(NoMessageFault.self).rules)
  func faultless(_ rule: ConformanceRule) { #expect(rule.run() == .passed) }

  @Test(arguments: continuing(NoContinuationFault.self).rules)
  func faultlessContinued(_ rule: ConformanceRule) { #expect(rule.run() == .passed) }

  /// Continued messages have rules in the place of those on truncation, and spare no others.
  @Test func continuedMessagesReplaceTruncation() {
    func ids(_ suite: any ConformanceSuite) -> Set<String> { Set(suite.rules.map(\.id)) }
    let plain = SequencedPacketSuite("plain", .lossless) { try UnixSequencedPacketSocket.pair() }
    let continued = ids(continuing(NoContinuationFault.self))
    // Unix packets have a half-close besides.
    let halfClose = ["packet.end.half-close", "packet.end.own-half-close"]
    #expect(
      ids(plain).subtracting(continued).subtracting(halfClose) == [
        "packet.truncation", "packet.truncation.try", "packet.receive.empty-buffer", "packet.peek.length",
        "packet.batch.no-room", "packet.batch.truncation",
      ])
    #expect(
      continued.subtracting(ids(plain)) == [
        "packet.continued", "packet.continued.try", "packet.continued.empty-buffer", "packet.continued.peek",
        "packet.continued.batch",
      ])
  }

  @Test func traitsSpareRules() {
    let all = datagrams(NoMessageFault.self)
    let few = DatagramSuite("few") { try FaultyDatagramSocket<NoMessageFault>.pair() }
    let spared = Set(all.rules.map(\.id)).subtracting(few.rules.map(\.id))
    #expect(spared.contains("datagram.send.would-block") && spared.contains("datagram.descriptors.dropped"))
    #expect(!spared.contains("datagram.boundaries") && few.rules.contains { $0.id == "datagram.sender.several" })
  }
}
