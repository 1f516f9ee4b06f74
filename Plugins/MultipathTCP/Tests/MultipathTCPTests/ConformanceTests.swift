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

/// The rules that Multipath TCP does not follow. If the peer resets the last path of a connection, the kernel keeps the
/// connection for `net.mptcp.close_timeout` (one minute). During this time, a write call reports that it would block;
/// it does not fail.
private let unkept = [
  "stream.write.closed-peer", "stream.write.gather-closed-peer", "poller-stream.echo.fairness",
]
private let rules = (streams.rules + listeners.rules + polled.rules).filter { !unkept.contains($0.id) }

// These tests are part of a serialized suite. A rule counts the descriptors of the process, so no other test may open a
// descriptor at the same time.
extension MultipathTCPTests {
  @Test(arguments: rules) func keeps(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed, "\(rule.summary)")
  }
}
