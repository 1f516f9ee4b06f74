import Glibc
import SocketKit
import TestSupport
import Testing

/// On hosts without IPv6 "every address" means every IPv4 address.
@Suite(.exclusive) struct WithoutIPv6Tests {
  private enum Host: CaseIterable {
    /// Booted with ipv6.disable=1: no IPv6 socket can be made.
    case kernelWithout
    /// No interface has an IPv6 address (net.ipv6.conf.all.disable_ipv6).
    case disabledBySetting
  }

  private func on(_ host: Host, _ body: @escaping () throws -> Void) throws {
    switch host {
    case .kernelWithout: try withoutIPv6(body)
    case .disabledBySetting:
      try inNamespaceWithLoopback {
        let setting = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
        guard writeFile(setting, "1") else { return unavailable("\(setting) cannot be written") }
        try body()
      }
    }
  }

  @Test func aListenerOnEveryAddressTakesIPv4() throws {
    for host in Host.allCases {
      try on(host) {
        let listener = try TCPSocket.listen(on: .any(port: 0))
        let address = try listener.localAddress()
        #expect(address.port != 0)
        #expect(host == .disabledBySetting || address == .anyIPv4(port: address.port))
        let client = try TCPSocket.connect(to: .loopback(port: address.port), until: .after(.seconds(5)))
        let server = try listener.accept(until: .after(.seconds(5)))
        #expect(try server.remoteAddress().unmapped == client.localAddress())
      }
    }
  }

  @Test func soDoesOneByItsText() throws {
    for host in Host.allCases {
      try on(host) {
        let listener = try TCPSocket.listen(on: IPEndpoint(body: "//*:0"))
        let port = try listener.localAddress().port
        _ = try TCPSocket.connect(to: .loopback(port: port), until: .after(.seconds(5)))
        _ = try listener.accept(until: .after(.seconds(5)))
        let socket = try UDPSocket.bind(to: IPEndpoint(body: "//*:0"))
        #expect(try socket.localAddress().port != 0)
      }
    }
  }

  @Test func aDatagramSocketOnEveryAddressHearsIPv4() throws {
    for host in Host.allCases {
      try on(host) {
        let server = try UDPSocket.bind(to: .any(port: 0))
        let port = try server.localAddress().port
        let client = try UDPSocket.connect(to: .loopback(port: port))
        try client.send([5].span, to: nil, until: .after(.seconds(5)))
        var buffer: [UInt8] = [0, 0]
        var info = MessageInfo()
        #expect(try server.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5))) == 1)
        #expect(try IPSocketAddress(info.address)?.unmapped == client.localAddress())
        #expect(try UDPSocket.hostCapabilities().maximumSegments >= 1)
      }
    }
  }

  /// The name localhost stands for an IPv4 address there.
  @Test func localhostIsListenedOn() throws {
    for host in Host.allCases {
      try on(host) {
        let listener = try TCPSocket.listen(on: IPEndpoint(body: "//localhost:0"), until: .after(.seconds(20)))
        let port = try listener.localAddress().port
        _ = try TCPSocket.connect(to: .host("localhost", port: port), until: .after(.seconds(20)))
        _ = try listener.accept(until: .after(.seconds(5)))
      }
    }
  }

  /// A caller that asks for an IPv6 address does not get IPv4 instead.
  @Test func anIPv6AddressFailsWithItsCause() throws {
    let codes = try withoutIPv6 { () -> [SocketError.Code?] in
      [
        failure { () throws(SocketError) in _ = try TCPSocket.listen(on: .loopbackIPv6(port: 0)) }?.code,
        failure { () throws(SocketError) in _ = try UDPSocket.bind(to: .loopbackIPv6(port: 0)) }?.code,
        failure { () throws(SocketError) in
          _ = try TCPSocket.connect(to: .loopbackIPv6(port: 1), until: .after(.seconds(5)))
        }?.code,
        failure { () throws(SocketError) in
          _ = try TCPSocket.listen(on: .any(port: 0)) { (socket) throws(SocketError) in
            try socket.setOption(.v6Only, to: true)
          }
        }?.code,
      ]
    }
    #expect(codes == [.protocolNotSupported, .protocolNotSupported, .protocolNotSupported, .notSupported])
  }
}
