import DatagramMeter
import SocketKitConformance
import SocketKitCore
import SocketKitEpoll
import SocketKitIP
import SocketKitUDP
import Testing

private let datagrams = DatagramSuite("MeteredDatagrams", [.connected, .refusals]) {
  let server = try UDPSocket.bind(to: .loopback(port: 0))
  let client = try UDPSocket.bind(to: .loopback(port: 0))
  try server.connect(to: try client.localAddress())
  try client.connect(to: try server.localAddress())
  return SocketPair(MeteredDatagrams(client), MeteredDatagrams(server))
}

// These tests are part of a serialized suite. A rule counts the descriptors of the process, so no other test may open a
// descriptor at the same time.
extension MeteredDatagramsTests {
  @Test(arguments: datagrams.rules) func keeps(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed, "\(rule.summary)")
  }

  @Test(arguments: PollerOverMessageSuite<EpollPoller, MeteredDatagrams<UDPSocket>>("over epoll", of: datagrams).rules)
  func keepsUnderAPoller(_ rule: ConformanceRule) { #expect(rule.run() == .passed, "\(rule.summary)") }
}
