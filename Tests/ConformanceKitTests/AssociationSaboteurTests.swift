import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// Associations over UDP.
func associations<F: AssociationFault>(_ fault: F.Type) -> OneToManySuite<LoopbackAssociations<UDPSocket, F>> {
  OneToManySuite("associations") { LoopbackAssociations(try UDPSocket.bind(to: .loopback(port: 0))) }
}

/// Over Unix datagrams, which wait for buffer space.
func losslessAssociations<F: AssociationFault>(
  _ fault: F.Type
) -> OneToManySuite<LoopbackAssociations<UnixDatagramSocket, F>> {
  OneToManySuite("lossless associations", .lossless) {
    let name = try UnixAddress(abstract: "socketkit-associations-\(UInt64.random(in: 0 ... .max))")
    return LoopbackAssociations(try UnixDatagramSocket.bind(to: name))
  }
}

private func saboteur<F: AssociationFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "association.\(rule)", associations(F.self), associations(NoAssociationFault.self))
}

private func lossless<F: AssociationFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "association.\(rule)", losslessAssociations(F.self), losslessAssociations(NoAssociationFault.self))
}

/// Broken associations under a sound poller.
private func polled<F: AssociationFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: AssociationFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverOneToManySuite<EpollPoller, LoopbackAssociations<UDPSocket, G>>(crime, of: associations(G.self))
  }
  return Saboteur(crime, "poller-association.\(rule)", suite(F.self), suite(NoAssociationFault.self))
}

/// Sound associations under a broken poller.
private func brokenPoller<F: PollerFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: PollerFault>(_ fault: G.Type) -> any ConformanceSuite {
    PollerOverOneToManySuite<FaultyPoller<EpollPoller, G>, LoopbackAssociations<UDPSocket, NoAssociationFault>>(
      crime, of: associations(NoAssociationFault.self))
  }
  return Saboteur(crime, "poller-association.\(rule)", suite(F.self), suite(NoFault.self))
}

@Suite(.exclusive) struct AssociationSaboteurTests {
  static let saboteurs = [
    saboteur("reports one association for all peers", ReportsTheFirstAssociation.self, "several"),
    saboteur("swaps messages", SwapsMessages.self, "order"),
    saboteur("splits long messages", SplitsLongMessages.self, "boundaries"),
    saboteur("sends each message to all peers", AnswersEveryPeer.self, "reply"),
    saboteur("leaks a descriptor in a connect", LeaksAtConnect.self, "descriptors"),
    saboteur("reports an end when nothing arrives", EndsWhenNothingArrives.self, "receive.would-block"),
    saboteur("changes the byte after the message", ScribblesBehindAssociations.self, "receive.exact-count"),
    saboteur("reports too few bytes of a sent message", AssociationReportsLess.self, "boundaries"),
    saboteur("ignores the flag `peek`", IgnoresAssociationPeek.self, "peek"),
    saboteur("loses the last message before a shutdown", HoldsTheLastMessage.self, "shutdown"),
    saboteur("ends every association", EndsEveryAssociation.self, "shutdown.only"),
    saboteur("shuts down instead of aborting", ShutsDownInsteadOfAborting.self, "abort"),
    saboteur("ends every association", EndsEveryAssociation.self, "abort.only"),
    saboteur("discards messages on ended associations without an error", SwallowsLateSends.self, "ended"),
    saboteur("ignores later messages of a peer whose association has ended", RemembersEndedAssociations.self, "again"),
    saboteur("closes without ending its associations", ClosesSilently.self, "close"),
    saboteur("reports a missing destination as an ended association", MistakesNoDestination.self, "no-destination"),
    saboteur("reports an end when nothing arrives", EndsWhenNothingArrives.self, "wait.later"),
    saboteur("does not report the end of a connection", SwallowsAssociationEnds.self, "wait.end"),
    saboteur("blocks in an attempt that must not wait", BlocksInAssociationTry.self, "timeout.receive"),
    saboteur("blocks in an attempt that must not wait", BlocksInAssociationTry.self, "deadline.passed"),
    saboteur("blocks in an attempt that must not wait", BlocksInAssociationTry.self, "cancel.pending"),
    lossless("blocks in an attempt that must not wait", BlocksInAssociationTry.self, "timeout.send"),
    lossless(
      "returns an error when a waiting send finds no buffer space", AssociationWithoutRoomIsError.self, "wait.room"),
    lossless("blocks in an attempt that must not wait", BlocksInAssociationTry.self, "cancel.send"),
    brokenPoller("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "readable"),
    brokenPoller("never reports writable", NeverWritable.self, "writable"),
    brokenPoller("uses edge-triggered mode instead of level-triggered mode", LevelIsEdge.self, "level"),
    polled("loses the last message", HoldsTheLastMessage.self, "edge"),
    polled("does not report the end of a connection", SwallowsAssociationEnds.self, "end"),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }

  @Test(arguments: associations(NoAssociationFault.self).rules)
  func faultless(_ rule: ConformanceRule) { #expect(rule.run() == .passed) }

  @Test(arguments: losslessAssociations(NoAssociationFault.self).rules)
  func faultlessLossless(_ rule: ConformanceRule) { #expect(rule.run() == .passed) }

  @Test func traitsSkipRules() {
    let all = Set(losslessAssociations(NoAssociationFault.self).rules.map(\.id))
    let few = Set(associations(NoAssociationFault.self).rules.map(\.id))
    #expect(all.subtracting(few) == ["association.timeout.send", "association.wait.room", "association.cancel.send"])
    let unpeekable = OneToManySuite("unpeekable", .unpeekable) {
      LoopbackAssociations<UDPSocket, NoAssociationFault>(try UDPSocket.bind(to: .loopback(port: 0)))
    }
    #expect(few.subtracting(unpeekable.rules.map(\.id)) == ["association.peek"])
  }
}
