import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// Pairs of small buffers: a Unix socket takes any write whole that it has room for.
private func unixPair() throws -> SocketPair<UnixStreamSocket> { try UnixStreamSocket.pair() }

private func dripping<F: KeystreamFault>(_ fault: F.Type) -> StreamSocketSuite<
  KeystreamSocket<DripSocket<UnixStreamSocket>, F>
> {
  StreamSocketSuite("keystream") {
    try unixPair()
  } wrapping: {
    KeystreamSocket<_, F>($0)
  }
}

private func saboteur<F: KeystreamFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, rule, dripping(F.self), dripping(SoundKeystream.self))
}

@Suite(.exclusive) struct WrapperSaboteurTests {
  static let saboteurs = [
    saboteur(
      "advances its position by the requested count after a short write", AdvancesByWhatWasAsked.self,
      "stream.transfer.basic-io"),
    saboteur("does not hold its lock during a read or write", LocksForAMoment.self, "stream.concurrent.writers"),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }

  /// A sound wrapper keeps every rule over a base that cuts, and so does the base itself.
  @Test(arguments: dripping(SoundKeystream.self).rules) func faultless(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed)
  }
  @Test(arguments: StreamSocketSuite("drip", over: unixPair, wrapping: { $0 }).rules)
  func dripAlone(_ rule: ConformanceRule) { #expect(rule.run() == .passed) }
}
