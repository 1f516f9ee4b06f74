import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// Every message transport over one poller.
private func cells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  datagramCells(poller, type) + packetCells(poller, type)
}

private func datagramCells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  func over<S: DatagramSocket & ~Copyable>(_ suite: DatagramSuite<S>) -> [Cell] {
    let suite = PollerOverMessageSuite<P, S>("\(suite.name), \(poller)", of: suite)
    return suite.rules.map { Cell(suite: suite.name, rule: $0) }
  }
  return over(Datagrams.udp4) + over(Datagrams.udp6) + over(Datagrams.udpConnected) + over(Datagrams.unixPair)
    + over(Datagrams.unixPath)
}

private func packetCells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
  func over<S: SequencedPacketSocket & ~Copyable>(_ suite: SequencedPacketSuite<S>) -> [Cell] {
    let suite = PollerOverMessageSuite<P, S>("\(suite.name), \(poller)", of: suite)
    return suite.rules.map { Cell(suite: suite.name, rule: $0) }
  }
  return over(Packets.unixPair) + over(Packets.unixPath) + over(Packets.unixAbstract)
}

@Suite(.exclusive) struct PollerOverMessageTests {
  @Test(arguments: cells("epoll", EpollPoller.self)) func epoll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("poll", PollPoller.self)) func poll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over epoll", BusySpinPoller.self)) func spin(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: cells("spin over poll", SpinPoller<PollPoller>.self)) func spinOverPoll(_ cell: Cell) {
    check(cell.rule)
  }
}
