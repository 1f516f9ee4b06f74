import Glibc
import SocketKit
import TestSupport
import Testing

/// The destination that packets and connections had before they were redirected.
@Suite(.exclusive) struct OriginalDestinationTests {
  @Test(arguments: UDPWay.allCases) func datagramsTellAddressAndPort(_ way: UDPWay) throws {
    let server = try UDPSocket.bind(to: way == .v4 ? .anyIPv4(port: 0) : .any(port: 0))
    #expect(try !server.option(.receiveOriginalDestination))
    try server.setOption(.receiveOriginalDestination, to: true)
    #expect(try server.option(.receiveOriginalDestination))
    let port = try server.port()
    let target = way.isIPv4 ? IPSocketAddress(IPv4Address(127, 0, 0, 5), port: port) : .loopbackIPv6(port: port)
    let client = try UDPSocket.bind(to: way.target(0))
    #expect(try client.send([1].span, to: target) == 1)
    let received = try server.nextWithMetadata()
    #expect(received.0 == [1] && received.2.originalDestination == target)
    try server.setOption(.receiveOriginalDestination, to: false)
    #expect(try client.send([2].span, to: target) == 1)
    let plain = try server.nextWithMetadata()
    #expect(plain.2.originalDestination == nil)
  }

  /// A transparent proxy (TPROXY): the packet was for another host and another port.
  @Test func aRedirectedDatagramTellsTheOtherHost() throws {
    try inNamespaceWithLoopback {
      let server = try UDPSocket.bind(to: .loopback(port: 0)) { (socket) throws(SocketError) in
        try socket.setOption(.transparent, to: true)
        try socket.setOption(.receiveOriginalDestination, to: true)
      }
      let port = try server.port()
      guard runTool("ip", "rule add fwmark 1 lookup 100"),
        runTool("ip", "route add local 0.0.0.0/0 dev lo table 100"), runTool("ip", "route add 10.9.9.0/24 dev lo"),
        runTool("nft", "add table ip t; add chain ip t o { type route hook output priority -150 ; }"),
        runTool("nft", "add rule ip t o ip daddr 10.9.9.9 meta mark set 1"),
        runTool("nft", "add chain ip t p { type filter hook prerouting priority -150 ; }"),
        runTool("nft", "add rule ip t p meta mark 1 udp dport 53 tproxy to 127.0.0.1:\(port) accept")
      else { return }
      let client = try UDPSocket.bind(to: .loopback(port: 0))
      let wanted = IPSocketAddress(IPv4Address(10, 9, 9, 9), port: 53)
      #expect(try client.send([9].span, to: wanted) == 1)
      let received = try server.nextWithMetadata()
      #expect(received.0 == [9] && received.2.originalDestination == wanted)
    }
  }

  @Test(arguments: UDPWay.allCases) func aRedirectedConnectionTellsWhereItWanted(_ way: UDPWay) throws {
    try inNamespaceWithLoopback {
      let listener = try TCPSocket.listen(on: way.any)
      let port = try listener.localAddress().port
      func connection(to address: IPSocketAddress) throws -> SocketPair<TCPSocket> {
        let client = try TCPSocket.connect(to: address, until: .after(soon))
        return SocketPair(client, try listener.accept(until: .after(soon)))
      }
      // The kernel tracks nothing before there is a rule that needs it.
      let direct = try connection(to: way.target(port))
      let untracked = try direct.second.option(.originalDestination)
      #expect(untracked == nil)
      guard
        runTool(
          "nft",
          "add table inet t; add chain inet t o { type nat hook output priority -100 ; }; "
            + "add rule inet t o tcp dport 80 redirect to :\(port)")
      else { return }
      let wanted = way.isIPv4 ? IPSocketAddress(IPv4Address(127, 0, 0, 9), port: 80) : .loopbackIPv6(port: 80)
      let redirected = try connection(to: wanted)
      let original = try redirected.second.option(.originalDestination)
      let local = try redirected.second.localAddress().port
      #expect(original == wanted && local == port)
      let plain = try connection(to: way.target(port))
      let same = try plain.second.option(.originalDestination)
      #expect(same == way.target(port))
      let unconnected = try TCPSocket.open(for: way.any)
      let error = failure(SocketError.self) { () throws(SocketError) in _ = try unconnected.option(.originalDestination)
      }
      #expect(error?.code == .notConnected)
    }
  }
}
