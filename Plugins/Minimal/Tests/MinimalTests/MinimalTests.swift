import Minimal
import SocketKitConformance
import SocketKitCore
import SocketKitEpoll
import SocketKitIP
import SocketKitTCP
import Testing

// Each rule counts the descriptors of the process, so the tests run one after the other.
@Suite(.serialized) struct MinimalTests {
  static let transport: [ConformanceRule] = {
    let streams = StreamSocketSuite("PlainSocket") {
      let listener = try PlainSocket.listen(on: .loopback(port: 0))
      let client = try PlainSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
      return SocketPair(client, try listener.accept(until: .after(.seconds(5))))
    }
    let listeners = ListenerSuite("PlainSocket") {
      try PlainSocket.listen(on: .loopback(port: 0))
    } connect: {
      try PlainSocket.connect(to: $0, until: .after(.seconds(5)))
    }
    let endpoints = EndpointSuite<PlainSocket>(
      "PlainSocket", samples: [.address(.loopback(port: 80)), .host("localhost", port: 1)],
      addresses: [.loopback(port: 80), .loopbackIPv6(port: 7)])
    return streams.rules + listeners.rules + endpoints.rules
  }()

  static let wrapper: [ConformanceRule] = {
    let streams = StreamSocketSuite("CountedSocket") { () -> SocketPair<CountedSocket<TCPSocket>> in
      let listener = try TCPSocket.listen(on: .loopback(port: 0)).accepting(
        CountedSocket<TCPSocket>.self, context: ())
      let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
      return SocketPair(CountedSocket(client), try listener.accept(until: .after(.seconds(5))))
    }
    return streams.rules
  }()

  static let poller: [ConformanceRule] =
    PollerSuite<ListPoller>("ListPoller").rules
    + PollerOverStreamSuite<ListPoller, PlainSocket>("ListPoller over PlainSocket") { .loopback(port: 0) }.rules
    + PollerOverStreamSuite<EpollPoller, PlainSocket>("epoll over PlainSocket") { .loopback(port: 0) }.rules

  @Test(arguments: transport) func theTransport(keeps rule: ConformanceRule) { check(rule) }
  @Test(arguments: wrapper) func theWrapper(keeps rule: ConformanceRule) { check(rule) }
  @Test(arguments: poller) func thePoller(keeps rule: ConformanceRule) { check(rule) }

  private func check(_ rule: ConformanceRule) {
    let outcome = rule.run()
    if case .failed = outcome { Issue.record("\(rule.summary) \(outcome)") }
  }
}
