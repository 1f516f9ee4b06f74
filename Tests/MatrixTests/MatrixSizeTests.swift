import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// A matrix without cells passes: each suite must have its rules.
@Suite(.exclusive) struct MatrixSizeTests {
  @Test func everySuiteHasRules() {
    let streams: [any ConformanceSuite] = [
      Streams.tcp4, Streams.tcp6, Streams.unixPath, Streams.unixAbstract, Streams.unixPair,
    ]
    let messages: [any ConformanceSuite] = [
      Datagrams.udp4, Datagrams.udp6, Datagrams.udpConnected, Datagrams.wrapped, Datagrams.unixPair,
      Datagrams.unixPath, Datagrams.unixAbstract, Packets.unixPair, Packets.unixPath, Packets.unixAbstract,
      SCTPPackets.peeled4, SCTPPackets.peeled6,
    ]
    let listeners: [any ConformanceSuite] = [
      Listeners.tcp4, Listeners.tcp6, Listeners.unixPath, Listeners.unixAbstract, Packets.pathListener,
    ]
    let pollers: [any ConformanceSuite] = [
      Pollers.epoll, Pollers.poll, Pollers.busySpin, Pollers.spinOverPoll, Pollers.neverParking,
    ]
    let addresses: [any ConformanceSuite] = [Addresses.ip, Addresses.unix, Addresses.any]
    let associations: [any ConformanceSuite] = [SCTPOneToMany.ipv4, SCTPOneToMany.ipv6]
    for (suites, least) in [
      (streams, 45), (messages, 45), (listeners, 15), (pollers, 25), (addresses, 8), (associations, 20),
    ] {
      for suite in suites {
        #expect(suite.rules.count >= least, "\(suite.name): \(suite.rules.count) rules")
        #expect(Set(suite.rules.map(\.id)).count == suite.rules.count, "\(suite.name)")
      }
    }
  }

  @Test func everySampleTextIsAnAddress() {
    #expect(Addresses.unixSamples.count == 12 && Addresses.ipSamples.count == 8)
  }

  @Test func aBeginningThatNoRuleHasIsAFailure() {
    let some = rules(Streams.tcp4.rules, beginning: ["stream.end", "stream.nowhere"])
    #expect(some.count > 1 && some.dropLast().allSatisfy { $0.id.hasPrefix("stream.end") })
    #expect(some.last?.id == "stream.nowhere.none" && some.last?.run().isFailure == true)
  }
}
