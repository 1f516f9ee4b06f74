import SocketKit
import SocketKitConformance
import TestSupport
import Testing

@Suite(.exclusive) struct DatagramTests {
  @Test(arguments: Datagrams.udp4.rules) func udp4(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Datagrams.udp6.rules) func udp6(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Datagrams.udpConnected.rules) func udpConnected(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Datagrams.wrapped.rules) func udpWrapped(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Datagrams.unixPair.rules) func unixPair(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Datagrams.unixPath.rules) func unixPath(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Datagrams.unixAbstract.rules) func unixAbstract(_ rule: ConformanceRule) { check(rule) }
}

@Suite(.exclusive) struct SequencedPacketTests {
  @Test(arguments: Packets.unixPair.rules) func unixPair(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Packets.unixPath.rules) func unixPath(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Packets.unixAbstract.rules) func unixAbstract(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Packets.pathListener.rules) func pathListener(_ rule: ConformanceRule) { check(rule) }
}
