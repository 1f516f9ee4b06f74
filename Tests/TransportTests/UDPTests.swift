import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct UDPTests {
  @Test(arguments: UDPWay.allCases) func boundAndConnectedTalkBothWays(_ way: UDPWay) throws {
    let server = try UDPSocket.bind(to: way.any)
    let client = try UDPSocket.connect(to: way.target(server.port()))
    #expect(try client.send([1, 2, 3].span) == 3)
    let (bytes, info) = try server.next()
    let sender = try #require(IPSocketAddress(info.address))
    #expect(bytes == [1, 2, 3] && info.length == 3 && info.flags == [])
    #expect(try sender.unmapped == client.localAddress())
    #expect(sender.isIPv6 == (way != .v4), "a dual-stack socket shows IPv4 in the mapped form")
    #expect(try server.send([4, 5].span, to: sender) == 2)
    let answer = try client.next()
    #expect(answer.bytes == [4, 5])
    #expect(try client.connectedAddress() == way.target(server.port()))
  }

  @Test func unconnectedSocketsSendToAnybody() throws {
    let first = try UDPSocket.bind(to: .loopback(port: 0))
    let second = try UDPSocket.bind(to: .loopback(port: 0))
    let sender = try UDPSocket.bind(to: .loopback(port: 0))
    #expect(try sender.send([1].span, to: first.localAddress()) == 1)
    #expect(try sender.send([2].span, to: second.localAddress()) == 1)
    let (one, two) = (try first.next(), try second.next())
    #expect(one.bytes == [1] && two.bytes == [2])
    var from: IPSocketAddress?
    var byte: [UInt8] = [0]
    #expect(try first.receive(into: byte.mutableSpan, from: &from) == nil && from == nil)
    try sender.send([3].span, to: first.localAddress(), until: .after(soon))
    _ = try first.receive(into: byte.mutableSpan, from: &from)
    #expect(try byte == [3] && from == sender.localAddress())
  }

  @Test func nothingToReceiveWouldBlock() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    #expect(try socket.receive(into: buffer.mutableSpan, &info) == nil)
    let start = milliseconds()
    #expect(throws: SocketError(code: .timedOut, .receive)) {
      _ = try socket.receive(into: buffer.mutableSpan, &info, until: .after(.milliseconds(50)))
    }
    #expect((40..<5000).contains(milliseconds() - start))
    #expect(throws: SocketError(code: .timedOut, .receive)) {
      _ = try socket.receive(into: buffer.mutableSpan, &info, until: .past)
    }
  }

  @Test func anEmptyDatagramIsADatagram() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.send([UInt8]().span) == 0)
    #expect(try client.send([7].span) == 1)
    let empty = try server.next()
    #expect(empty.bytes.isEmpty && empty.info.length == 0 && !empty.info.isTruncated)
    #expect(try IPSocketAddress(empty.info.address) == client.localAddress())
    let next = try server.next()
    #expect(next.bytes == [7])
  }

  @Test func anEmptyBufferTakesADatagram() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.send([1, 2, 3].span) == 3)
    #expect(try client.send([4].span) == 1)
    let dropped = try server.next(room: 0)
    #expect(dropped.bytes.isEmpty && dropped.info.length == 3 && dropped.info.isTruncated)
    let next = try server.next()
    #expect(next.bytes == [4])
  }

  @Test func truncationTellsTheFullLength() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.send(pattern(1000).span) == 1000)
    let whole = try server.next(room: 0x10000 - 1)
    #expect(whole.bytes == pattern(1000) && whole.info.length == 1000 && !whole.info.isTruncated)
    #expect(try client.send(pattern(1000).span) == 1000)
    let (bytes, info) = try server.next(room: 10)
    #expect(bytes == pattern(10) && info.length == 1000 && info.isTruncated)
    #expect(try isQuiet(server), "the rest is lost")
  }

  @Test func peekingLeavesTheDatagram() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.send([9, 9].span) == 2)
    var info = MessageInfo()
    #expect(try !isQuiet(server))
    #expect(try server.receive(into: MutableSpan(), &info, flags: .peek) == 0 && info.length == 2)
    let (bytes, _) = try server.next()
    #expect(bytes == [9, 9])
  }

  @Test(arguments: [1, 2, 507, 508, 1472, 1473, 9000, 65506, 65507]) func sizes(_ size: Int) throws {
    for way in [UDPWay.v4, .v6] {
      let server = try UDPSocket.bind(to: way.any)
      let client = try UDPSocket.connect(to: server.localAddress())
      #expect(try client.send(pattern(size).span) == size)
      let (bytes, info) = try server.next(room: 65535)
      #expect(bytes == pattern(size) && info.length == size)
    }
  }

  /// 65 535 less the headers of IPv4 (20) and UDP (8); IPv6's header is not counted (RFC 8200, 3).
  @Test func oversizedDatagramsAreNamed() throws {
    for (way, limit) in [(UDPWay.v4, 65507), (.v6, 65527)] {
      let server = try UDPSocket.bind(to: way.any)
      let client = try UDPSocket.connect(to: server.localAddress())
      #expect(try client.send(pattern(limit).span) == limit)
      let largest = try server.next(room: 65535)
      #expect(largest.bytes.count == limit)
      do throws(SocketError) {
        _ = try client.send(pattern(limit + 1).span)
        Issue.record("sent it")
      } catch {
        #expect(error.code == .messageTooLarge && error.operation == .send && error.errno == EMSGSIZE)
        #expect(error.description.contains("send") && error.description.contains("EMSGSIZE"))
      }
      #expect(throws: SocketError(.failure(errno: EMSGSIZE), .send)) {
        try client.send(pattern(70000).span, to: nil, until: .after(soon))
      }
      #expect(try isQuiet(server))
    }
  }

  @Test func aConnectedSocketHearsOnlyItsPeer() throws {
    let peer = try UDPSocket.bind(to: .loopback(port: 0))
    let stranger = try UDPSocket.bind(to: .loopback(port: 0))
    let socket = try UDPSocket.connect(to: peer.localAddress(), from: .loopback(port: 0))
    #expect(try stranger.send([1].span, to: socket.localAddress()) == 1)
    #expect(try isQuiet(socket))
    #expect(try peer.send([2].span, to: socket.localAddress()) == 1)
    let heard = try socket.next()
    #expect(heard.bytes == [2])

    try socket.connect(to: stranger.localAddress())
    #expect(try stranger.send([3].span, to: socket.localAddress()) == 1)
    let other = try socket.next()
    #expect(other.bytes == [3])
  }

  @Test(arguments: [UDPWay.v4, .v6]) func disconnecting(_ way: UDPWay) throws {
    let peer = try UDPSocket.bind(to: way.any)
    let stranger = try UDPSocket.bind(to: way.any)
    let socket = try UDPSocket.bind(to: way.any)
    try socket.connect(to: peer.localAddress())
    try socket.disconnect()
    try socket.disconnect()
    #expect(try socket.connectedAddress() == nil)
    do throws(SocketError) {
      _ = try socket.send([1].span)
      Issue.record("sent it to nobody")
    } catch {
      #expect(error.code == .notConnected && error.operation == .send)
    }
    #expect(try stranger.send([2].span, to: way.target(socket.port())) == 1)
    let heard = try socket.next()
    #expect(heard.bytes == [2])
  }

  @Test(arguments: [UDPWay.v4, .v6]) func aConnectedSocketHearsThatNobodyIsThere(_ way: UDPWay) throws {
    let port = try UDPSocket.bind(to: way.any).port()
    let socket = try UDPSocket.connect(to: way.target(port))
    #expect(try socket.send([1].span) == 1)
    var info = MessageInfo()
    do throws(SocketError) {
      var buffer: [UInt8] = [0]
      _ = try socket.receive(into: buffer.mutableSpan, &info, until: .after(soon))
      Issue.record("received something")
    } catch {
      #expect(error.code == .connectionRefused && error.operation == .receive)
    }
    #expect(try isQuiet(socket), "it is told once")
  }

  @Test func bindFailuresNameTheAddress() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    let address = try socket.localAddress()
    #expect(throws: SocketError(.failure(errno: EADDRINUSE), .bind).with(address: address.description)) {
      _ = try UDPSocket.bind(to: address)
    }
    #expect(throws: SocketError(.failure(errno: EADDRNOTAVAIL), .bind).with(address: "192.0.2.99:0")) {
      _ = try UDPSocket.bind(to: IPSocketAddress(IPv4Address(192, 0, 2, 99), port: 0))
    }
    let foreign = try UDPSocket.bind(to: IPSocketAddress(IPv4Address(192, 0, 2, 99), port: 0)) {
      (socket) throws(SocketError) in try socket.setOption(.freeBind, to: true)
    }
    #expect(try foreign.localAddress().ip == .v4(IPv4Address(192, 0, 2, 99)))
  }

  @Test func v6OnlyKeepsIPv4Out() throws {
    let server = try UDPSocket.bind(to: .any(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.v6Only, to: true)
    }
    let client = try UDPSocket.connect(to: .loopback(port: server.port()))
    #expect(try client.send([1].span) == 1)
    #expect(try isQuiet(server))
    let six = try UDPSocket.connect(to: .loopbackIPv6(port: server.port()))
    #expect(try six.send([2].span) == 1)
    let heard = try server.next()
    #expect(heard.bytes == [2])
  }

  @Test func portsAreShared() throws {
    let reuse = { (socket: borrowing UDPSocket) throws(SocketError) in try socket.setOption(.reusePort, to: true) }
    let first = try UDPSocket.bind(to: .loopback(port: 0), configure: reuse)
    let second = try UDPSocket.bind(to: first.localAddress(), configure: reuse)
    #expect(try first.port() == second.port())
  }

  @Test func adoption() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    let address = try socket.localAddress()
    let adopted = try UDPSocket(adopting: owning(socket.released()))
    #expect(try adopted.localAddress() == address)
    let stream = try TCPSocket.open(for: .loopback(port: 0))
    #expect(throws: SocketError(code: .wrongSocketKind, .adopt)) {
      _ = try UDPSocket(adopting: stream.descriptor.duplicate())
    }
  }

  @Test func corkedSendsAreOneDatagram() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    try client.setOption(.cork, to: true)
    #expect(try client.option(.cork))
    #expect(try client.send([1, 2].span) == 2)
    #expect(try client.send([3].span) == 1)
    #expect(try isQuiet(server))
    try client.setOption(.cork, to: false)
    let corked = try server.next()
    #expect(corked.bytes == [1, 2, 3])
    #expect(try client.send([4].span, flags: .more) == 1)
    #expect(try client.send([5].span) == 1)
    let more = try server.next()
    #expect(more.bytes == [4, 5])
  }

  @Test func broadcastNeedsTheOption() throws {
    let made = try socketsInNamespace {
      let receiver = try UDPSocket.bind(to: .anyIPv4(port: 0))
      let sender = try UDPSocket.bind(to: .loopback(port: 0))
      return [receiver.released(), sender.released()]
    }
    guard let made else { return }
    let receiver = adopt(made[0])
    let sender = adopt(made[1])
    let everybody = IPSocketAddress(IPv4Address(127, 255, 255, 255), port: try receiver.port())
    do throws(SocketError) {
      _ = try sender.send([1].span, to: everybody)
      Issue.record("sent it")
    } catch {
      #expect(error.code == .permissionDenied && error.operation == .send && error.errno == EACCES)
    }
    try sender.setOption(.broadcast, to: true)
    #expect(try sender.send([2].span, to: everybody) == 1)
    let heard = try receiver.next()
    #expect(try heard.bytes == [2] && IPSocketAddress(heard.info.address) == sender.localAddress())
  }

  @Test func everyCallOnAClosedDescriptorSaysSo() throws {
    let socket = adopt(RawDescriptor(99_999))
    var info = MessageInfo()
    var ancillary = AncillaryBuffer<320>()
    var batch = MessageBatch(capacity: 1, messageCapacity: 1)
    let here = IPSocketAddress.loopback(port: 9)
    func expectClosed(_ what: Comment, _ body: () throws -> Void) {
      do {
        try body()
        Issue.record(what)
      } catch {
        #expect((error as? SocketError)?.code == .closed, what)
      }
    }
    expectClosed("receive") { _ = try socket.receive(into: MutableSpan(), &info) }
    expectClosed("receive ancillary data") {
      _ = try socket.receive(into: MutableSpan(), ancillary: &ancillary, &info)
    }
    expectClosed("receive waiting") { _ = try socket.receive(into: MutableSpan(), &info, until: .after(soon)) }
    expectClosed("nextQueuedError") { _ = try socket.nextQueuedError() }
    expectClosed("receive batch") { _ = try batch.receive(from: socket) }
    try batch.append([1].span, to: here)
    expectClosed("send batch") { _ = try batch.send(on: socket) }
    expectClosed("send") { _ = try socket.send([1].span) }
    expectClosed("send to") { _ = try socket.send([1].span, to: here) }
    expectClosed("send with metadata") { _ = try socket.send([1].span, to: here, metadata: OutgoingMetadata()) }
    expectClosed("send segmented") { _ = try socket.send([1, 2].span, segmentSize: 1, to: here, using: .none) }
    expectClosed("connect") { try socket.connect(to: here) }
    expectClosed("disconnect") { try socket.disconnect() }
    expectClosed("localAddress") { _ = try socket.localAddress() }
    expectClosed("option") { _ = try socket.option(.packetInfo) }
    expectClosed("setOption") { try socket.setOption(.receiveErrors, to: true) }
    expectClosed("join") { try socket.join(MulticastGroup(.v4(IPv4Address(239, 1, 1, 1)))) }
  }
}
