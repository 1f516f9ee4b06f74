import MultipathTCP
import SocketKitConformance
import SocketKitCore
import SocketKitEpoll
import SocketKitIP
import Testing

private func pair() throws -> SocketPair<MultipathTCPSocket> {
  let listener = try MultipathTCPSocket.listen(on: .loopback(port: 0))
  let client = try MultipathTCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
  return SocketPair(client, try listener.accept(until: .after(.seconds(5))))
}

private let streams = StreamSocketSuite("MultipathTCPSocket") { try pair() }
private let listeners = ListenerSuite("MultipathTCPSocket") {
  try MultipathTCPSocket.listen(on: .loopback(port: 0))
} connect: {
  try MultipathTCPSocket.connect(to: $0, until: .after(.seconds(5)))
}
private let polled = PollerOverStreamSuite<EpollPoller, MultipathTCPSocket>("MultipathTCPSocket over epoll") {
  .loopback(port: 0)
}

/// The kernel keeps a connection whose last path the peer has reset for `net.mptcp.close_timeout`, a minute: writes
/// would block until then, and do not fail.
private let unkept = [
  "stream.write.closed-peer", "stream.write.gather-closed-peer", "poller-stream.echo.fairness",
]
private let rules = (streams.rules + listeners.rules + polled.rules).filter { !unkept.contains($0.id) }

// Part of a serialized suite: a rule counts the descriptors of the process, so other tests must not open any meanwhile.
extension MultipathTCPTests {
  @Test(arguments: rules) func keeps(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed, "\(rule.summary)")
  }
}
