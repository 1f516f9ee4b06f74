import Glibc
import SocketKit
import TestSupport
import Testing

/// A socket that disconnects keeps its port and device, which the kernel forgets.
@Suite(.exclusive) struct UDPDisconnectTests {
  @Test(arguments: [UDPWay.v4, .v6]) func aPortThatConnectChoseStays(_ way: UDPWay) throws {
    let peer = try UDPSocket.bind(to: way.any)
    let stranger = try UDPSocket.bind(to: way.any)
    let socket = try UDPSocket.connect(to: peer.localAddress())
    let port = try socket.port()
    try socket.disconnect()
    #expect(try socket.port() == port && port != 0)
    // It hears from anybody, at any address of this host, as before it was connected.
    #expect(try socket.localAddress().ip == (way == .v4 ? .v4(.any) : .v6(.any)))
    #expect(try stranger.send([2].span, to: way.target(port)) == 1)
    let heard = try socket.next()
    #expect(heard.bytes == [2])
    // The same once more, connected to the stranger.
    try socket.connect(to: stranger.localAddress())
    #expect(try socket.port() == port)
    try socket.disconnect()
    #expect(try socket.port() == port)
  }

  @Test(arguments: UDPWay.allCases) func aPortThatBindChoseStays(_ way: UDPWay) throws {
    let peer = try UDPSocket.bind(to: way.target(0))
    let socket = try UDPSocket.bind(to: way.any)
    let before = try socket.localAddress()
    let target =
      if way == .dualStackFromV4, case .v4(let four) = way.target(0).ip {
        IPSocketAddress(IPv6Address(mapped: four), port: try peer.port())
      } else { try peer.localAddress() }
    try socket.connect(to: target)
    try socket.disconnect()
    #expect(try socket.localAddress() == before)
    #expect(try peer.send([3].span, to: way.target(before.port)) == 1)
    let heard = try socket.next()
    #expect(heard.bytes == [3])
  }

  @Test func theDeviceStays() throws {
    let peer = try UDPSocket.bind(to: .loopback(port: 0))
    let socket = try UDPSocket.connect(to: peer.localAddress()) { (socket) throws(SocketError) in
      try socket.setOption(.boundDevice, to: "lo")
    }
    try socket.disconnect()
    #expect(try socket.option(.boundDevice) == "lo")
  }

  @Test func anICMPSocketKeepsItsIdentifier() throws {
    try inNamespaceWithLoopback {
      guard writeFile("/proc/sys/net/ipv4/ping_group_range", "0 0") else { return unavailable("no ping_group_range") }
      let socket = try ICMPSocket.connect(to: .loopback(port: 1))
      let identifier = try socket.localAddress().port
      try socket.disconnect()
      let after = try socket.localAddress().port
      #expect(after == identifier && identifier != 0)
    }
  }

  /// A raw socket would receive nothing after it was disconnected, so it refuses.
  @Test func aRawSocketRefusesAndHearsOn() throws {
    let first = try RawIPSocket.open(.experiment, over: .ipv4)
    let second = try RawIPSocket.connect(.experiment, to: .loopback(port: 0))
    let error = failure(SocketError.self) { () throws(SocketError) in try second.disconnect() }
    #expect(error == SocketError(code: .notSupported, .connect))
    var info = MessageInfo()
    var bytes = [UInt8](repeating: 0, count: 64)
    #expect(try first.send([7].span, to: .loopback(port: 0)) == 1)
    let count = try second.receive(into: bytes.mutableSpan, &info, until: .after(soon))
    #expect(count == 21 && bytes[20] == 7)
  }
}
