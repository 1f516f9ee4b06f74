import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct UDPSegmentationTests {
  /// A receiver, coalescing or not, with room for many.
  private func receiver(_ way: UDPWay, coalescing: Bool) throws -> UDPSocket {
    let socket = try UDPSocket.bind(to: way.any)
    try socket.setOption(.coalescing, to: coalescing)
    #expect(try socket.option(.coalescing) == coalescing)
    try socket.setOption(.receiveBuffer, to: 1 << 20)
    return socket
  }

  private func collect(_ socket: borrowing UDPSocket, _ number: Int) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    for _ in 0..<number { found.append(try socket.next(room: 65535).bytes) }
    return found
  }

  private func cut(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min(bytes.count, $0 + size)]) }
  }

  @Test func whatThisHostCanDo() throws {
    let host = try UDPSocket.hostCapabilities()
    #expect(try UDPSocket.hostCapabilities() == host)
    // 64 until Linux 6.9, 128 since; both features are there since 5.0.
    #expect(host.maximumSegments == 64 || host.maximumSegments == 128)
    #expect(host.coalescing)
    let down: String? = inNewNetworkNamespace {
      do throws(SocketError) {
        return "\(try UDPSocket.hostCapabilities())"
      } catch {
        return error.operation == .bind && error.code == .addressNotAvailable ? "down" : "\(error)"
      }
    }
    #expect(down == "down" || (down == nil && !mustBeAvailable), "where loopback is down")
  }

  @Test(arguments: UDPWay.allCases) func segmentsArriveAsDatagrams(_ way: UDPWay) throws {
    let server = try receiver(way, coalescing: false)
    let client = try UDPSocket.bind(to: way.target(0))
    var metadata = OutgoingMetadata()
    metadata.segmentSize = 1000
    #expect(try client.send(pattern(3500).span, to: way.target(server.port()), metadata: metadata) == 3500)
    #expect(try collect(server, 4) == cut(pattern(3500), 1000))
    #expect(try isQuiet(server))
  }

  @Test(arguments: UDPWay.allCases) func segmentsArriveAsOneAndGoBackAsTheyCame(_ way: UDPWay) throws {
    let server = try receiver(way, coalescing: true)
    let client = try receiver(way.isIPv4 ? .v4 : .v6, coalescing: false)
    var metadata = OutgoingMetadata()
    metadata.segmentSize = 1200
    #expect(try client.send(pattern(12_001).span, to: way.target(server.port()), metadata: metadata) == 12_001)
    var batch = MessageBatch(capacity: 4, messageCapacity: 65535, ancillaryCapacity: 64)
    #expect(try batch.receive(from: server, until: .after(soon)) == 1)
    #expect(batch[0].byteCount == 12_001 && batch[0].segmentSize == 1200)
    #expect(batch[0].metadata.segmentSize == 1200)
    var pieces: [[UInt8]] = []
    batch[0].bytes.forEachDatagram(segmentSize: batch[0].segmentSize) { piece in
      pieces.append(piece.array)
    }
    #expect(pieces == cut(pattern(12_001), 1200))
    let size = try #require(batch[0].segmentSize.flatMap { UInt16(exactly: $0) })
    try batch.setSegmentSize(size, at: 0)
    #expect(batch[0].segmentSize == 1200)
    #expect(try batch.send(on: server) == 1)
    #expect(try collect(client, 11) == pieces)
  }

  @Test func aSingleDatagramIsNotCoalesced() throws {
    let server = try receiver(.v4, coalescing: true)
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.send(pattern(500).span) == 500)
    #expect(try client.send([UInt8]().span) == 0)
    let one = try server.nextWithMetadata()
    #expect(one.0 == pattern(500) && one.2.segmentSize == nil)
    var batch = MessageBatch(capacity: 1, messageCapacity: 65535, ancillaryCapacity: 64)
    _ = try batch.receive(from: server, until: .after(soon))
    var count = 0
    batch[0].bytes.forEachDatagram(segmentSize: batch[0].segmentSize) { piece in count += piece.isEmpty ? 1 : 100 }
    #expect(count == 1 && batch[0].segmentSize == nil)
  }

  @Test func theSocketsDefaultSegmentSize() throws {
    let server = try receiver(.v4, coalescing: false)
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.option(.segmentSize) == 0)
    try client.setOption(.segmentSize, to: 100)
    #expect(try client.option(.segmentSize) == 100)
    #expect(try client.send(pattern(250).span) == 250)
    #expect(try collect(server, 3) == cut(pattern(250), 100))
    #expect(throws: SocketError(.failure(errno: EINVAL), .setOption)) {
      try client.setOption(.segmentSize, to: 65536)
    }
  }

  @Test func theKernelsLimits() throws {
    let host = try UDPSocket.hostCapabilities()
    let server = try receiver(.v4, coalescing: false)
    let client = try UDPSocket.connect(to: server.localAddress())
    let target = try server.localAddress()
    var metadata = OutgoingMetadata()
    metadata.segmentSize = 10
    #expect(
      try client.send(pattern(host.maximumSegments * 10).span, to: target, metadata: metadata)
        == host.maximumSegments * 10)
    _ = try collect(server, host.maximumSegments)
    do throws(SocketError) {
      _ = try client.send(pattern(host.maximumSegments * 10 + 1).span, to: target, metadata: metadata)
      Issue.record("cut more than it can")
    } catch {
      #expect(error.code == .invalidArgument && error.operation == .send)
    }
    metadata.segmentSize = 1000
    do throws(SocketError) {
      _ = try client.send(pattern(65508).span, to: target, metadata: metadata)
      Issue.record("sent more than a message holds")
    } catch {
      #expect(error.code == .messageTooLarge)
    }
  }

  @Test(arguments: UDPWay.allCases, [1, 2, 7, 64, 128, 301, 1024])
  func oneCallSendsSegmentsEverywhere(_ way: UDPWay, _ segments: Int) throws {
    let real = try UDPSocket.hostCapabilities()
    let host = UDPHostCapabilities(maximumSegments: segments, coalescing: false)
    let server = try receiver(way, coalescing: false)
    let client = try UDPSocket.connect(to: way.target(server.port()))
    let bytes = pattern(301 * 20 + 7)
    let sent = try client.send(bytes.span, segmentSize: 20, using: host, until: .after(soon))
    #expect(sent.bytes == bytes.count && sent.datagrams == 302)
    // The kernel cuts all segments but a last one that goes alone. The library notices that a host can do less than it
    // was told.
    let cutByKernel = segments == 1 || segments > real.maximumSegments ? 0 : 302 % segments == 1 ? 301 : 302
    #expect(sent.offloaded == cutByKernel)
    #expect(try collect(server, 302) == cut(bytes, 20))
  }

  @Test func smallAndUnconnectedSegmentedSends() throws {
    let host = try UDPSocket.hostCapabilities()
    let server = try receiver(.v4, coalescing: false)
    let client = try UDPSocket.bind(to: .loopback(port: 0))
    let target = try server.localAddress()
    let empty = try #require(try client.send([UInt8]().span, segmentSize: 100, to: target, using: host))
    #expect(empty.datagrams == 1 && empty.bytes == 0 && empty.offloaded == 0)
    let one = try #require(try client.send(pattern(100).span, segmentSize: 100, to: target, using: host))
    #expect(one.datagrams == 1 && one.bytes == 100 && one.offloaded == 0)
    // More than a message holds: several messages.
    let large = try #require(try client.send(pattern(150_000).span, segmentSize: 30_000, to: target, using: host))
    #expect(large.datagrams == 5 && large.bytes == 150_000)
    #expect(try collect(server, 7) == [[], pattern(100)] + cut(pattern(150_000), 30_000))
    for size in [0, -1, 65508] {
      #expect(throws: SocketError(code: .invalidArgument, .send)) {
        _ = try client.send([1].span, segmentSize: size, to: target, using: host)
      }
    }
    do throws(SocketError) {
      _ = try client.send([1].span, segmentSize: 1, using: host)
      Issue.record("sent it to nobody")
    } catch {
      #expect(error.code == .notConnected && error.transferred == 0)
    }
  }

  /// Segments longer than the path's MTU cannot be cut by the kernel; one by one they are fragmented.
  @Test func whatThePathRefusesGoesOneByOne() throws {
    let host = try UDPSocket.hostCapabilities()
    let made = try socketsInNamespace(mtu: 1500) {
      let server = try UDPSocket.bind(to: .loopback(port: 0))
      let client = try UDPSocket.connect(to: server.localAddress())
      return [server.released(), client.released()]
    }
    guard let made else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    let sent = try #require(try client.send(pattern(5000).span, segmentSize: 2000, using: host))
    #expect(sent.bytes == 5000 && sent.datagrams == 3 && sent.offloaded == 0)
    #expect(try collect(server, 3) == cut(pattern(5000), 2000))
    try client.setOption(.pathMTUDiscovery, to: .always)
    do throws(SocketError) {
      _ = try client.send(pattern(5000).span, segmentSize: 2000, using: host)
      Issue.record("sent it")
    } catch {
      #expect(error.code == .messageTooLarge && error.transferred == 0)
    }
    let fitting = try #require(try client.send(pattern(5000).span, segmentSize: 1400, using: host))
    #expect(fitting.offloaded == 4)
    #expect(try collect(server, 4) == cut(pattern(5000), 1400))
  }

  @Test func takingBytesApart() {
    for (count, size) in [(0, nil), (0, 5), (1, 5), (5, 5), (6, 5), (10, 5), (11, 5), (7, nil), (7, 0)] as [(Int, Int?)]
    {
      let bytes = pattern(count)
      var raw: [[UInt8]] = []
      bytes.span.forEachDatagram(segmentSize: size) { piece in raw.append(piece.array) }
      let expected = size == nil || size == 0 || count == 0 ? [bytes] : cut(bytes, size ?? 1)
      #expect(raw == expected)
    }
  }

  @Test func aBodyThatThrowsEndsTheWalk() {
    var seen = 0
    #expect(throws: SocketError(code: .cancelled, .receive)) {
      try pattern(10).span.forEachDatagram(segmentSize: 2) { (_) throws(SocketError) in
        seen += 1
        if seen == 3 { throw SocketError(code: .cancelled, .receive) }
      }
    }
    #expect(seen == 3)
  }
}
