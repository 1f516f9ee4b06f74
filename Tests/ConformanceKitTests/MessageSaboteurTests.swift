import SocketKit
import SocketKitConformance
import TestSupport
import Testing

@Suite(.exclusive) struct MessageSaboteurTests {
  static let saboteurs =
    DatagramSaboteurs.all + PacketSaboteurs.all + PacketSaboteurs.continuedMessages + PolledMessageSaboteurs.all

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }

  /// Wrappers with Core's own batches, and packets that are told from the end by their credentials, keep every rule.
  @Test(
    arguments: datagrams(NoMessageFault.self).rules + packets(NoMessageFault.self).rules
      + packets(Carrying<NoMessageFault>.self).rules)
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
