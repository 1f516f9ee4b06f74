import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// Two endpoints on loopback and the association between them, peeled off at both.
func peeledPair(
  _ address: IPSocketAddress = .loopback(port: 0)
) throws -> SocketPair<SCTPAssociationSocket> {
  // Without Nagle's rule small messages need not wait for the acknowledgement of earlier ones.
  let near = try SCTPOneToManySocket.bind(to: address) { endpoint throws(SocketError) in
    try endpoint.setOption(.noDelay, to: true)
    try endpoint.setOption(.event(.associationChange), of: .all, to: true)
  }
  let far = try SCTPOneToManySocket.listen(on: address) { endpoint throws(SocketError) in
    try endpoint.setOption(.noDelay, to: true)
    try endpoint.setOption(.event(.associationChange), of: .all, to: true)
  }
  _ = try near.connect(to: far.localAddress())
  return SocketPair(try near.peelOff(nextAssociation(near)), try far.peelOff(nextAssociation(far)))
}

/// The association that comes up next.
private func nextAssociation(_ endpoint: borrowing SCTPOneToManySocket) throws -> SCTPAssociationID {
  var buffer = [UInt8](repeating: 0, count: 64)
  let arrival = try endpoint.receive(into: buffer.mutableSpan, until: .after(.seconds(5)))
  guard case .notification(.associationChange(let change)) = arrival, change.state == .up else {
    throw ConformanceUnavailable("no association came up: \(arrival)")
  }
  return change.association
}

enum SCTPPackets {
  static let traits: MessageTraits = [.lossless, .described]
  static let peeled4 = SequencedPacketSuite("SCTP peeled off, IPv4", traits) { try peeledPair() }
  static let peeled6 = SequencedPacketSuite("SCTP peeled off, IPv6", traits) {
    try peeledPair(.loopbackIPv6(port: 0))
  }
}

private func cells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  let suite = PollerOverMessageSuite<P, SCTPAssociationSocket>("SCTP, \(poller)", of: SCTPPackets.peeled4)
  return suite.rules.map { Cell(suite: suite.name, rule: $0) }
}

@Suite(.exclusive, .needsSCTP) struct SCTPPeeledOffMatrixTests {
  @Test(arguments: SCTPPackets.peeled4.rules) func peeled4(_ rule: ConformanceRule) { check(rule) }
  /// What may differ by the kind of address.
  @Test(
    arguments: rules(
      SCTPPackets.peeled6.rules, beginning: ["packet.address", "packet.boundaries", "packet.descriptor", "packet.end"]))
  func peeled6(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: cells("epoll", EpollPoller.self)) func epoll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("poll", PollPoller.self)) func poll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over epoll", BusySpinPoller.self)) func spin(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over poll", SpinPoller<PollPoller>.self)) func spinOverPoll(_ cell: Cell) {
    check(cell.rule)
  }
}
