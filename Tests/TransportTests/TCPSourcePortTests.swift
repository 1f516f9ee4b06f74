import Glibc
import SocketKit
import TestSupport
import Testing

/// Connecting from an address whose port the kernel chooses: the port is free for connections to other peers.
@Suite(.exclusive) struct TCPSourcePortTests {
  @Test func tenPortsServeTwentyConnectionsToTwoPeers() throws {
    for (loopback, source) in [
      (IPSocketAddress.loopback(port: 0), IPSocketAddress(IPv4Address(127, 0, 0, 7), port: 0)),
      (IPSocketAddress.loopbackIPv6(port: 0), IPSocketAddress.loopbackIPv6(port: 0)),
    ] {
      try inNamespaceWithLoopback {
        let setting = "/proc/sys/net/ipv4/ip_local_port_range"
        let first = try TCPSocket.listen(on: loopback.with(port: 1001))
        let second = try TCPSocket.listen(on: loopback.with(port: 1002))
        guard writeFile(setting, "40000 40009") else { return unavailable("\(setting) cannot be written") }
        var clients = Slab<TCPSocket>(capacity: 20)
        var ports: [UInt16: Int] = [:]
        for _ in 0..<10 {
          for peer in [try first.localAddress(), try second.localAddress()] {
            let client = try TCPSocket.connect(to: peer, from: source, until: .after(.seconds(5)))
            let local = try client.localAddress()
            #expect(local.ip == source.ip)
            ports[local.port, default: 0] += 1
            _ = clients.insert(client)
          }
        }
        #expect(ports.count == 10 && ports.values.allSatisfy { $0 == 2 })
        // The eleventh to one of them has no port left.
        let error = failure { () throws(SocketError) in
          _ = try TCPSocket.connect(to: loopback.with(port: 1001), from: source, until: .after(.seconds(5)))
        }
        #expect(error?.code == .addressNotAvailable && error?.localAddress == source.description)
        _ = (first.descriptor, second.descriptor, clients.count)
      }
    }
  }
}
