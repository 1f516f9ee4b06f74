import SocketKit
import SocketKitConformance
import TestSupport
import Testing

private let streams4 = StreamSocketSuite("SCTP over IPv4") { try pair(SCTPSocket.self, on: .loopback(port: 0)) }
private let streams6 = StreamSocketSuite("SCTP over IPv6") { try pair(SCTPSocket.self, on: .loopbackIPv6(port: 0)) }

@Suite(.exclusive, .needsSCTP) struct SCTPStreamTests {
  @Test(arguments: streams4.rules) func ipv4(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: streams6.rules) func ipv6(_ rule: ConformanceRule) { check(rule) }
}

private func listeners(_ name: String, on address: IPSocketAddress) -> ListenerSuite<SCTPSocket> {
  ListenerSuite(name) {
    try SCTPSocket.listen(on: address)
  } connect: {
    try SCTPSocket.connect(to: $0, until: .after(.seconds(5)))
  }
}

private let listeners4 = listeners("SCTP over IPv4", on: .loopback(port: 0))
private let listeners6 = listeners("SCTP over IPv6", on: .loopbackIPv6(port: 0))

@Suite(.exclusive, .needsSCTP) struct SCTPListenerTests {
  @Test(arguments: listeners4.rules) func ipv4(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: listeners6.rules) func ipv6(_ rule: ConformanceRule) { check(rule) }
}

private func cells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  let suites: [any ConformanceSuite] = [
    PollerOverStreamSuite<P, SCTPSocket>("SCTP over IPv4, \(poller)") { .loopback(port: 0) },
    PollerOverStreamSuite<P, SCTPSocket>("SCTP over IPv6, \(poller)") { .loopbackIPv6(port: 0) },
  ]
  return suites.flatMap { suite in suite.rules.map { Cell(suite: suite.name, rule: $0) } }
}

@Suite(.exclusive, .needsSCTP) struct SCTPPollerTests {
  @Test(arguments: cells("epoll", EpollPoller.self)) func epoll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("poll", PollPoller.self)) func poll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over epoll", BusySpinPoller.self)) func spin(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over poll", SpinPoller<PollPoller>.self)) func spinOverPoll(_ cell: Cell) {
    check(cell.rule)
  }
}
