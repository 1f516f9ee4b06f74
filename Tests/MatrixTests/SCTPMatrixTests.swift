import SocketKit
import SocketKitConformance
import TestSupport
import Testing

// Over IPv4, IPv6, and with several addresses at both ends.

/// Without it a stream over loopback waits for delayed acknowledgements, 200 ms each: loopback's packets are so large
/// that hardly two fit the default receive buffer.
private let prompt: @Sendable (borrowing SCTPSocket) throws(SocketError) -> Void = { (socket) throws(SocketError) in
  try socket.setOption(.noDelay, to: true)
  try socket.setOption(.receiveBuffer, to: 1 << 20)
}

private let several = [IPSocketAddress.loopbackIPv6(port: 0), .loopback(port: 0)]

private func sctpPair(on addresses: [IPSocketAddress]) throws -> SocketPair<SCTPSocket> {
  let listener = try SCTPSocket.listen(on: addresses, configure: prompt)
  let port = try listener.localAddress().port
  // In this order: each end's address is the first of several.
  let client = try SCTPSocket.connect(
    toAny: addresses.map { $0.with(port: port) }, until: .after(.seconds(5)), configure: prompt)
  return SocketPair(client, try listener.accept(until: .after(.seconds(5))))
}

private let streams4 = StreamSocketSuite("SCTP over IPv4") { try sctpPair(on: [.loopback(port: 0)]) }
private let streams6 = StreamSocketSuite("SCTP over IPv6") { try sctpPair(on: [.loopbackIPv6(port: 0)]) }
private let multihomed = StreamSocketSuite("SCTP over both") { try sctpPair(on: several) }

@Suite(.exclusive, .needsSCTP) struct SCTPStreamTests {
  @Test(arguments: streams4.rules) func ipv4(_ rule: ConformanceRule) { check(rule) }
  /// What may differ by the kind of address; the several ones begin with one of IPv6.
  @Test(
    arguments: rules(
      streams6.rules, beginning: ["stream.address", "stream.descriptor", "stream.end", "stream.transfer.basic"]))
  func ipv6(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: multihomed.rules) func severalAddresses(_ rule: ConformanceRule) { check(rule) }
}

private func listeners(_ name: String, on addresses: [IPSocketAddress]) -> ListenerSuite<SCTPSocket> {
  ListenerSuite(name) {
    try SCTPSocket.listen(on: addresses, configure: prompt)
  } connect: {
    try SCTPSocket.connect(to: $0, until: .after(.seconds(5)), configure: prompt)
  }
}

private let listeners4 = listeners("SCTP over IPv4", on: [.loopback(port: 0)])
private let listeners6 = listeners("SCTP over IPv6", on: [.loopbackIPv6(port: 0)])
private let listenersBoth = listeners("SCTP over both", on: several)

@Suite(.exclusive, .needsSCTP) struct SCTPListenerTests {
  @Test(arguments: listeners4.rules) func ipv4(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: listeners6.rules) func ipv6(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: listenersBoth.rules) func severalAddresses(_ rule: ConformanceRule) { check(rule) }
}

private typealias Suites<P: Poller & ~Copyable> = PollerOverStreamSuite<P, SCTPSocket>

private func overIPv4<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  cells(Suites<P>("SCTP over IPv4, \(poller)", configure: prompt) { .loopback(port: 0) })
}
private func overIPv6<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  cells(Suites<P>("SCTP over IPv6, \(poller)", configure: prompt) { .loopbackIPv6(port: 0) })
}
private func overBoth<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  cells(Suites<P>("SCTP over both, \(poller)", makePair: { try sctpPair(on: several) }))
}

private func cells(_ suite: some ConformanceSuite) -> [Cell] { suite.rules.map { Cell(suite: suite.name, rule: $0) } }

// Each poller with one kind of address: the guest kernel, where these run, takes 5 to 10 s for each.
@Suite(.exclusive, .needsSCTP) struct SCTPPollerTests {
  @Test(arguments: overIPv4("epoll", EpollPoller.self)) func epoll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: overIPv6("poll", PollPoller.self)) func poll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: overBoth("spin over epoll", BusySpinPoller.self)) func spin(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: overIPv6("spin over poll", SpinPoller<PollPoller>.self)) func spinOverPoll(_ cell: Cell) {
    check(cell.rule)
  }
}
