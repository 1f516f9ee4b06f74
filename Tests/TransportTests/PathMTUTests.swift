import Glibc
import SocketKit
import TestSupport
import Testing

/// Packets that are too large for their path: how the kernel refuses and reports them.
@Suite(.exclusive) struct PathMTUTests {
  /// A receiver and a client that is not connected, over loopback with an MTU of 1500.
  private func narrow(_ way: UDPWay) throws -> [RawDescriptor]? {
    try socketsInNamespace(mtu: 1500) {
      let server = try UDPSocket.bind(to: way.any)
      let client = try UDPSocket.open(for: way.any)
      return [server.released(), client.released()]
    }
  }

  @Test func onePacketIsNotFragmented() throws {
    guard let made = try narrow(.v6) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    try client.setOption(.receivePathMTU, to: true)
    #expect(try client.option(.receivePathMTU))
    let target = try server.localAddress()
    var whole = OutgoingMetadata()
    whole.doNotFragment = true
    #expect(!whole.isEmpty)
    let error = failure(SocketError.self) { () throws(SocketError) in
      _ = try client.send(pattern(2000).span, to: target, metadata: whole)
    }
    #expect(error?.code == .messageTooLarge && error?.errno == EMSGSIZE)
    #expect(try isQuiet(server))
    // The notice comes once, before the datagrams that wait.
    let (bytes, info, metadata) = try client.nextWithMetadata()
    #expect(bytes == [] && info.length == 0)
    #expect(metadata.pathMTU?.mtu == 1500 && metadata.pathMTU?.destination == target.with(port: 0))
    #expect(try isQuiet(client))
    // A packet that fits is sent, and so is one that may be fragmented. A request does not bind the next packet.
    #expect(try client.send(pattern(1452).span, to: target, metadata: whole) == 1452)
    #expect(try server.next(room: 3000).bytes == pattern(1452))
    whole.doNotFragment = false
    #expect(try client.send(pattern(2000).span, to: target, metadata: whole) == 2000)
    #expect(try server.next(room: 3000).bytes == pattern(2000))
    #expect(try client.send(pattern(2000).span, to: target) == 2000)
    #expect(try server.next(room: 3000).bytes == pattern(2000))
  }

  @Test func aSocketThatNeverFragments() throws {
    guard let made = try narrow(.v6) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    let target = try server.localAddress()
    #expect(try !client.option(.doNotFragment))
    try client.setOption(.doNotFragment, to: true)
    #expect(try client.option(.doNotFragment))
    let error = failure(SocketError.self) { () throws(SocketError) in
      _ = try client.send(pattern(1453).span, to: target)
    }
    #expect(error?.code == .messageTooLarge)
    // A single packet may be an exception.
    var cut = OutgoingMetadata()
    cut.doNotFragment = false
    #expect(try client.send(pattern(1453).span, to: target, metadata: cut) == 1453)
    #expect(try server.next(room: 3000).bytes == pattern(1453))
  }

  @Test func ipv4HasNoSuchRequest() throws {
    var whole = OutgoingMetadata()
    whole.doNotFragment = true
    let four = try UDPSocket.bind(to: .loopback(port: 0))
    let six = try UDPSocket.bind(to: .any(port: 0))
    let refusal = SocketError(code: .notSupported, .send)
    let mapped = IPSocketAddress(IPv6Address(mapped: .loopback), port: 9)
    #expect(throws: refusal) { _ = try four.send([1].span, to: .loopback(port: 9), metadata: whole) }
    #expect(throws: refusal) { _ = try six.send([1].span, to: mapped, metadata: whole) }
    var batch = MessageBatch(capacity: 1, messageCapacity: 8, ancillaryCapacity: 160)
    try batch.append([1].span, to: IPSocketAddress.loopback(port: 9))
    #expect(throws: refusal) { try batch.setMetadata(whole, at: 0) }
    for option in [SocketOption<UDPSocketOptions, Bool>.doNotFragment, .receivePathMTU] {
      let error = failure(SocketError.self) { () throws(SocketError) in try four.setOption(option, to: true) }
      #expect(error?.code == .notSupported && error?.operation == .setOption)
    }
  }

  /// The calls set aside enough room for everything that a packet can ask for.
  @Test func everythingAtOnceFits() throws {
    var all = OutgoingMetadata()
    all.source = .v6(.loopback)
    all.interfaceIndex = 1
    all.hopLimit = 9
    all.trafficClass = 8
    all.segmentSize = 100
    all.doNotFragment = true
    all.transmitTime = 1
    var ancillary = AncillaryBuffer<160>()
    try all.encode(into: &ancillary, for: .loopbackIPv6(port: 1))
    let used = ancillary.byteCount
    #expect(used == 160)
    let server = try UDPSocket.bind(to: .loopbackIPv6(port: 0))
    let client = try UDPSocket.open(for: .loopbackIPv6(port: 0))
    try client.setOption(.transmitTime, to: TransmitTime(.monotonic))
    #expect(try client.send(pattern(250).span, to: server.localAddress(), metadata: all) == 250)
    #expect(try server.next().bytes == pattern(100))
  }

  /// A router's message: ICMP "fragmentation needed" or ICMPv6 "packet too big", with the head of the packet in it.
  @Test(arguments: [UDPWay.v4, .v6]) func aRoutersNoticeHasTheMTU(_ way: UDPWay) throws {
    try inNamespaceWithLoopback {
      let server = try UDPSocket.bind(to: way.any)
      let client = try UDPSocket.connect(to: server.localAddress())
      try client.setOption(.receiveErrors, to: true)
      let ports: [UInt16] = [try client.port(), try server.port(), 8, 0]
      let udp = ports.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
      let router = try RawIPSocket.open(way == .v4 ? .icmp : .icmpv6, over: way == .v4 ? .ipv4 : .ipv6)
      // 1300 bytes, as 5 and 20.
      var message: [UInt8]
      if way == .v4 {
        let address: [UInt8] = [127, 0, 0, 1]
        let header: [UInt8] = [0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17, 0, 0]
        message = [3, 4, 0, 0, 0, 0, 5, 20] + header + address + address + udp
        let sum = InternetChecksum.of(message.span)
        message[2] = UInt8(truncatingIfNeeded: sum >> 8)
        message[3] = UInt8(truncatingIfNeeded: sum)
      } else {
        let address = [UInt8](repeating: 0, count: 15) + [1]
        let header: [UInt8] = [0x60, 0, 0, 0, 0, 8, 17, 64]
        message = [2, 0, 0, 0, 0, 0, 5, 20] + header + address + address + udp
      }
      #expect(try router.send(message.span, to: way.target(0)) == message.count)
      var entry: QueuedError<IPSocketAddress>?
      for _ in 0..<200 where entry == nil {
        entry = try client.nextQueuedError()
        if entry == nil { sleep(milliseconds: 5) }
      }
      let error = try #require(entry).error
      #expect(error.origin == (way == .v4 ? .icmp : .icmpv6) && error.classification == .messageTooLarge)
      #expect(error.pathMTU == 1300 && error.transmitTime == nil)
      #expect(try client.option(.pathMTU) == 1300)
    }
  }

  @Test func whatThisHostKnowsHasTheMTUToo() throws {
    guard let made = try narrow(.v4) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    try client.connect(to: server.localAddress())
    try client.setOption(.receiveErrors, to: true)
    try client.setOption(.pathMTUDiscovery, to: .always)
    let error = failure(SocketError.self) { () throws(SocketError) in _ = try client.send(pattern(2000).span) }
    #expect(error?.code == .messageTooLarge)
    let entry = try #require(try client.nextQueuedError())
    #expect(entry.error.origin == .local && entry.error.pathMTU == 1500)
    // Another error has none.
    let closed = IPSocketAddress.loopback(port: 1)
    try client.connect(to: closed)
    _ = try client.send([1].span)
    let refused = try #require(try client.nextQueuedError())
    #expect(refused.error.classification == .connectionRefused && refused.error.pathMTU == nil)
  }
}
