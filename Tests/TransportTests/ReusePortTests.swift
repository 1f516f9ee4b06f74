import Glibc
import SocketKit
import TestSupport
import Testing

/// With `.reusePort` the kernel spreads connections and datagrams over the sockets of one address.
@Suite(.exclusive) struct ReusePortTests {
  private static let reuse: @Sendable (borrowing TCPSocket) throws(SocketError) -> Void = {
    (socket) throws(SocketError) in try socket.setOption(.reusePort, to: true)
  }

  /// 64 connections over two listeners: by chance one of them gets none in one of 2^63 runs.
  @Test func connectionsAreSpreadOverTwoListeners() throws {
    let first = try TCPSocket.listen(on: .loopback(port: 0), backlog: 64, configure: Self.reuse)
    let address = try first.localAddress()
    let second = try TCPSocket.listen(on: address, backlog: 64, configure: Self.reuse)
    #expect(try second.localAddress() == address)
    var clients = Slab<TCPSocket>(capacity: 64)
    var ports: Set<UInt16> = []
    for _ in 0..<64 {
      let client = try TCPSocket.connect(to: address, until: .after(soon))
      ports.insert(try client.localAddress().port)
      _ = clients.insert(client)
    }
    var counts = (0, 0)
    while let server = try first.accept() {
      #expect(ports.remove(try server.remoteAddress().port) != nil)
      counts.0 += 1
    }
    while let server = try second.accept() {
      #expect(ports.remove(try server.remoteAddress().port) != nil)
      counts.1 += 1
    }
    #expect(counts.0 + counts.1 == 64 && ports.isEmpty && counts.0 > 0 && counts.1 > 0, "\(counts)")
  }

  @Test func datagramsOfManySendersAreSpreadOverTwoSockets() throws {
    let reuse = { (socket: borrowing UDPSocket) throws(SocketError) in try socket.setOption(.reusePort, to: true) }
    let first = try UDPSocket.bind(to: .loopback(port: 0), configure: reuse)
    let second = try UDPSocket.bind(to: first.localAddress(), configure: reuse)
    for index in 0..<64 as Range<UInt8> {
      let sender = try UDPSocket.connect(to: first.localAddress())
      #expect(try sender.send([index].span) == 1)
    }
    var seen: Set<UInt8> = []
    var counts = (0, 0)
    var byte: [UInt8] = [0]
    var info = MessageInfo()
    while case 1 = try first.receive(into: byte.mutableSpan, &info) {
      seen.insert(byte[0])
      counts.0 += 1
    }
    while case 1 = try second.receive(into: byte.mutableSpan, &info) {
      seen.insert(byte[0])
      counts.1 += 1
    }
    #expect(counts.0 + counts.1 == 64 && seen.count == 64 && counts.0 > 0 && counts.1 > 0, "\(counts)")
  }

  /// Both sockets must set the option.
  @Test func oneThatDoesNotShareKeepsItsAddress() throws {
    let sharing = try TCPSocket.listen(on: .loopback(port: 0), configure: Self.reuse)
    let address = try sharing.localAddress()
    let inUse = SocketError(.failure(errno: EADDRINUSE), .bind).with(address: "\(address)")
    #expect(throws: inUse) { _ = try TCPSocket.listen(on: address) }
    let alone = try TCPSocket.listen(on: .loopback(port: 0))
    let other = try alone.localAddress()
    let otherInUse = SocketError(.failure(errno: EADDRINUSE), .bind).with(address: "\(other)")
    #expect(throws: otherInUse) { _ = try TCPSocket.listen(on: other, configure: Self.reuse) }
  }
}
