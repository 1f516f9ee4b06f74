import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct TCPTests {
  @Test func aDualStackListenerTakesBothVersions() throws {
    let listener = try TCPSocket.listen(on: .any(port: 0))
    let port = try listener.localAddress().port
    let four = try TCPSocket.connect(to: .loopback(port: port), until: .after(.seconds(5)))
    var peer = AnySocketAddress()
    let first = try #require(try accept(listener, &peer))
    #expect(IPSocketAddress(peer)?.unmapped == IPSocketAddress.loopback(port: try four.localAddress().port))
    #expect(first.description.hasPrefix("[::ffff:127.0.0.1]"))
    _ = try TCPSocket.connect(to: .loopbackIPv6(port: port), until: .after(.seconds(5)))
    #expect(try accept(listener, &peer)?.isIPv6 == true)
    #expect(IPSocketAddress(peer)?.ip == .v6(.loopback))
  }

  /// The remote address of the next connection.
  private func accept(_ listener: borrowing Listener<TCPSocket>, _ peer: inout AnySocketAddress) throws
    -> IPSocketAddress?
  {
    for _ in 0..<100 {
      if let socket = try listener.accept(reporting: &peer) { return try socket.remoteAddress() }
      sleep(milliseconds: 5)
    }
    return nil
  }

  @Test func v6OnlyKeepsIPv4Out() throws {
    let listener = try TCPSocket.listen(on: .any(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.v6Only, to: true)
    }
    let port = try listener.localAddress().port
    #expect(
      throws: SocketError(.failure(errno: ECONNREFUSED), .connect).with(address: "127.0.0.1:\(port)")
    ) {
      _ = try TCPSocket.connect(to: .loopback(port: port), until: .after(.seconds(5)))
    }
    _ = try TCPSocket.connect(to: .loopbackIPv6(port: port), until: .after(.seconds(5)))
  }

  @Test func anAddressInUseIsNamed() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    #expect(throws: SocketError(.failure(errno: EADDRINUSE), .bind).with(address: address.description)) {
      _ = try TCPSocket.listen(on: address)
    }
    #expect(throws: SocketError(.failure(errno: EADDRNOTAVAIL), .bind).with(address: "192.0.2.1:0")) {
      _ = try TCPSocket.listen(on: IPSocketAddress(IPv4Address(192, 0, 2, 1), port: 0))
    }
    #expect(throws: SocketError(code: .invalidArgument, .listen).with(address: "127.0.0.1:0")) {
      _ = try TCPSocket.listen(on: .loopback(port: 0), backlog: -1)
    }
  }

  @Test func aRestartNeedNotWaitForOldConnections() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    let client = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    // The server closes first: its port is in TIME_WAIT afterwards.
    try listener.accept(until: .after(.seconds(5))).close()
    try listener.close()
    var buffer: [UInt8] = [0]
    #expect(try client.read(into: buffer.mutableSpan, until: .after(.seconds(5))) == .endOfStream)
    try client.close()
    _ = try TCPSocket.listen(on: address)
  }

  /// A closure that configures a socket may throw anything.
  @Test func anErrorOfTheConfigurationIsKept() throws {
    struct Odd: Error, CustomStringConvertible {
      let description = "odd"
    }
    let before = openDescriptors().count
    let odd = refusal {
      _ = try TCPSocket.listen(on: .loopback(port: 0)) { _ in throw Odd() }
    }
    #expect(odd?.code == .other && odd?.operation == .configure && odd?.address == "127.0.0.1:0")
    #expect(odd?.explanation == "The configuration failed: odd.")
    let own = SocketError(code: .notSupported, .setOption)
    #expect(throws: own.with(address: "127.0.0.1:1")) {
      _ = try TCPSocket.connect(to: .loopback(port: 1), until: .after(.seconds(5))) { _ in throw own }
    }
    #expect(openDescriptors().count == before)
  }

  /// Connecting to a free port of the automatic range may connect a socket to itself.
  @Test func noSocketConnectsToItself() throws {
    let port = try TCPSocket.listen(on: .loopback(port: 0)).localAddress().port
    let address = IPSocketAddress.loopback(port: port)
    let refused = SocketError(.failure(errno: ECONNREFUSED), .connect)
    #expect(throws: refused.with(address: "\(address)", localAddress: "\(address)")) {
      _ = try TCPSocket.connect(to: address, from: address, until: .after(.seconds(5)))
    }
  }

  @Test func nonBlockingConnectIsCompletedByThePoller() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let pending = try TCPSocket.startConnecting(to: listener.localAddress())
    var poller = try EpollPoller()
    try poller.register(pending, for: .writable, token: Token(index: 1))
    #expect(try poller.wait(until: .after(.seconds(5))) == 1)
    try poller.deregister(pending)
    let isFinished = try pending.isFinished()
    #expect(isFinished)
    let client = try pending.finish()
    #expect(try client.remoteAddress() == listener.localAddress())
  }

  @Test func anUnfinishedConnectIsNotHandedOut() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0), backlog: 0)
    let address = try listener.localAddress()
    let queued = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    let pending = try TCPSocket.startConnecting(to: address)
    let isFinished = try pending.isFinished()
    #expect(!isFinished)
    do throws(SocketError) {
      _ = try pending.finish()
      Issue.record("finished")
    } catch {
      #expect(error.code == .notConnected && error.address == address.description)
    }
    _ = queued.descriptor
  }

  @Test func aWrittenStreamArrivesThroughSmallBuffers() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.receiveBuffer, to: 4096)
    }
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let writer = try Writer(client)
    let thread = writer.start(sent)
    var received = [UInt8](repeating: 0, count: sent.count)
    try server.readExactly(into: received.mutableSpan, until: .after(.seconds(20)))
    thread.join()
    #expect(received == sent)
    #expect(try server.read(into: received.mutableSpan, until: .after(.seconds(5))) == .endOfStream)
  }

  /// Holds a socket for a thread.
  final class Writer: Sendable {
    let socket: TCPSocket
    init(_ socket: consuming TCPSocket) throws(SocketError) { self.socket = socket }
    func start(_ bytes: [UInt8]) -> RunningThread {
      spawn {
        do throws(SocketError) {
          try self.socket.writeAll(bytes.span, until: .after(.seconds(20)))
          try self.socket.shutdown(.write)
        } catch {
          Issue.record("\(error)")
        }
      }
    }
  }
}
