import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// Every transport over one poller.
private func cells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  let suites: [any ConformanceSuite] = [
    PollerOverStreamSuite<P, TCPSocket>("TCP over IPv4, \(poller)") { .loopback(port: 0) },
    PollerOverStreamSuite<P, TCPSocket>("TCP over IPv6, \(poller)") { .loopbackIPv6(port: 0) },
    PollerOverStreamSuite<P, UnixStreamSocket>("Unix path, \(poller)") { try freshPath() },
    PollerOverStreamSuite<P, UnixStreamSocket>("Unix name, \(poller)") { try freshAbstractName() },
    PollerOverStreamSuite<P, UnixStreamSocket>("Unix pair, \(poller)", makePair: { try UnixStreamSocket.pair() }),
  ]
  return suites.flatMap { suite in suite.rules.map { Cell(suite: suite.name, rule: $0) } }
}

/// One rule for one pair of transport and poller.
struct Cell: Sendable, CustomTestStringConvertible {
  let suite: String
  let rule: ConformanceRule
  var testDescription: String { "\(suite): \(rule)" }
}

@Suite(.exclusive) struct PollerOverStreamTests {
  @Test(arguments: cells("epoll", EpollPoller.self)) func epoll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("poll", PollPoller.self)) func poll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over epoll", BusySpinPoller.self)) func spin(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over poll", SpinPoller<PollPoller>.self)) func spinOverPoll(_ cell: Cell) {
    check(cell.rule)
  }
}
