import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// A socket that accepts associations and reports their ends.
func oneToManySocket(_ address: IPSocketAddress = .loopback(port: 0)) throws -> SCTPOneToManySocket {
  // Without Nagle's rule small messages need not wait for the acknowledgement of earlier ones.
  try SCTPOneToManySocket.listen(on: address) { endpoint throws(SocketError) in
    try endpoint.setOption(.noDelay, to: true)
    try endpoint.setOption(.event(.associationChange), of: .all, to: true)
  }
}

enum SCTPOneToMany {
  static let ipv4 = OneToManySuite("SCTP one-to-many, IPv4", .lossless) { try oneToManySocket() }
  static let ipv6 = OneToManySuite("SCTP one-to-many, IPv6", .lossless) {
    try oneToManySocket(.loopbackIPv6(port: 0))
  }
}

private func cells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  let suite = PollerOverOneToManySuite<P, SCTPOneToManySocket>("SCTP one-to-many, \(poller)", of: SCTPOneToMany.ipv4)
  return suite.rules.map { Cell(suite: suite.name, rule: $0) }
}

@Suite(.exclusive, .needsSCTP) struct SCTPOneToManyRuleTests {
  @Test(arguments: SCTPOneToMany.ipv4.rules) func ipv4(_ rule: ConformanceRule) { check(rule) }
  /// What may differ by the kind of address.
  @Test(
    arguments: rules(
      SCTPOneToMany.ipv6.rules, beginning: ["association.several", "association.boundaries", "association.shutdown"]))
  func ipv6(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: cells("epoll", EpollPoller.self)) func epoll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("poll", PollPoller.self)) func poll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over epoll", BusySpinPoller.self)) func spin(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over poll", SpinPoller<PollPoller>.self)) func spinOverPoll(_ cell: Cell) {
    check(cell.rule)
  }
}

/// What the kit does not know, with each poller: SCTP's own calls, notifications, pieces of messages, and associations
/// that are peeled off.
@Suite(.exclusive, .needsSCTP) struct SCTPOneToManySocketMatrixTests {
  @Test func epoll() throws { try EndpointRules<EpollPoller>(try EpollPoller()).all() }
  @Test func poll() throws { try EndpointRules<PollPoller>(try PollPoller()).all() }
  @Test func spinOverEpoll() throws {
    try EndpointRules<BusySpinPoller>(try BusySpinPoller(BusySpinPoller.configuration(capacity: 64))).all()
  }
  @Test func spinOverPoll() throws {
    try EndpointRules<SpinPoller<PollPoller>>(
      try SpinPoller<PollPoller>(SpinPoller<PollPoller>.configuration(capacity: 64))
    ).all()
  }
}

private let token = Token(index: 7, generation: 1)

struct EndpointRules<P: Poller & ~Copyable>: ~Copyable {
  var poller: P
  let server: SCTPOneToManySocket
  let target: IPSocketAddress

  init(_ poller: consuming P) throws {
    let server = try oneToManySocket()
    let target = try server.localAddress()
    self.init(poller, server, target)
  }

  private init(_ poller: consuming P, _ server: consuming SCTPOneToManySocket, _ target: IPSocketAddress) {
    self.poller = poller
    self.server = server
    self.target = target
  }

  consuming func all() throws {
    try poller.register(server, for: .readable, token: token)
    try requireQuiet("before anything came")
    let clients = (0..<4).compactMap { _ in try? ClientEndpoint(oneToManySocket()) }
    #expect(clients.count == 4)
    // Associations and messages of several peers are reported, in the order of each.
    for wave in 0..<8 as Range<UInt8> {
      for (index, client) in clients.enumerated() {
        try client.endpoint.send([UInt8(index), wave].span, to: target, until: .after(.seconds(5)))
      }
    }
    var next = [UInt8](repeating: 0, count: 4)
    var associations = [SCTPAssociationID?](repeating: nil, count: 4)
    var changes = 0
    while next != [8, 8, 8, 8] {
      try requireEvent("after \(next)")
      switch try receive() {
      case (.message(let message), let bytes):
        let index = Int(bytes[0])
        #expect(bytes[1] == next[index] && message.count == 2 && message.isComplete)
        #expect(associations[index] == nil || associations[index] == message.association)
        associations[index] = message.association
        next[index] += 1
      case (.notification, _): changes += 1
      default: break
      }
    }
    #expect(changes == 4 && Set(associations).count == 4)
    try requireQuiet("after everything was received")
    // The rest of a message is reported.
    let first = try #require(associations[0])
    try clients[0].endpoint.send([1, 2, 3, 4, 5].span, to: target, until: .after(.seconds(5)))
    for (count, isComplete) in [(2, false), (2, false), (1, true)] {
      try requireEvent("for a piece")
      guard case (.message(let piece), _) = try receive(2) else {
        Issue.record("no piece")
        return
      }
      #expect(piece.count == count && piece.isComplete == isComplete && piece.association == first)
    }
    try requireQuiet("after the last piece")
    // Room to send.
    try poller.modify(server, for: .writable, token: token)
    try requireEvent("for room")
    try poller.modify(server, for: .readable, token: token)
    // A peeled-off association is reported by its own socket alone, and so is its end.
    let peeled = try server.peelOff(first)
    let own = Token(index: 9, generation: 1)
    try poller.register(peeled, for: .readable, token: own)
    try clients[0].endpoint.send([6].span, to: target, until: .after(.seconds(5)))
    try requireEvent("for the peeled-off socket", own)
    var buffer = [UInt8](repeating: 0, count: 16)
    var info = MessageInfo()
    let message = try peeled.receive(into: buffer.mutableSpan, &info)
    #expect(message == .bytes(1))
    let begun = try #require(try clients[0].endpoint.option(.associations).first)
    try clients[0].endpoint.shutdown(begun)
    try requireEvent("for the end", own)
    let end = try peeled.receive(into: buffer.mutableSpan, &info)
    #expect(end == .endOfStream)
    try poller.deregister(peeled)
    // The others go on.
    let second = try #require(associations[1])
    try server.send([9].span, info: SCTPSendInfo(association: second), until: .after(.seconds(5)))
    try requireQuiet("of the endpoint")
    try clients[1].endpoint.abort(try #require(try clients[1].endpoint.option(.associations).first))
    try requireEvent("for an abort")
    try poller.deregister(server)
  }

  private borrowing func receive(_ room: Int = 64) throws -> (SCTPArrival?, [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: room)
    let outcome = try server.receive(into: buffer.mutableSpan)
    return (outcome, buffer)
  }

  private mutating func requireEvent(_ why: String, _ wanted: Token = token) throws {
    let count = try poller.wait(until: .after(.seconds(5)))
    #expect(count >= 1, "no event \(why)")
    if count >= 1 { #expect(poller[event: 0].token == wanted, "\(why)") }
  }

  private mutating func requireQuiet(_ when: String) throws {
    let count = try poller.wait(until: .after(.milliseconds(10)))
    #expect(count == 0, "an event \(when)")
  }
}

private final class ClientEndpoint {
  let endpoint: SCTPOneToManySocket
  init(_ endpoint: consuming SCTPOneToManySocket) { self.endpoint = endpoint }
}
