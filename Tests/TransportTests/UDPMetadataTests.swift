import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct UDPMetadataTests {
  private func server(_ way: UDPWay) throws -> UDPSocket {
    let server = try UDPSocket.bind(to: way.any)
    for option in [SocketOption<UDPSocketOptions, Bool>.packetInfo, .receiveHopLimit, .receiveTrafficClass] {
      #expect(try !server.option(option))
      try server.setOption(option, to: true)
      #expect(try server.option(option))
    }
    try server.setOption(.nanosecondTimestamps, to: true)
    try server.setOption(.dropCount, to: true)
    return server
  }

  @Test(arguments: UDPWay.allCases) func whatIsAskedForArrives(_ way: UDPWay) throws {
    let server = try server(way)
    let client = try UDPSocket.bind(to: way.isIPv4 ? .anyIPv4(port: 0) : .any(port: 0))
    var wanted = OutgoingMetadata()
    #expect(wanted.isEmpty)
    wanted.source = way.isIPv4 ? .v4(IPv4Address(127, 0, 0, 2)) : .v6(.loopback)
    wanted.interfaceIndex = 1
    wanted.hopLimit = 7
    wanted.trafficClass = 46 << 2 | 2
    let target = way.target(try server.port())
    #expect(try client.send([1, 2, 3].span, to: target, metadata: wanted) == 3)
    let (bytes, info, metadata) = try server.nextWithMetadata()
    #expect(bytes == [1, 2, 3] && info.flags == [])
    #expect(metadata.destination == way.target(0) && metadata.interfaceIndex == 1)
    #expect(metadata.hopLimit == 7 && metadata.dscp == 46 && metadata.ecn == 2)
    #expect(metadata.segmentSize == nil && metadata.error == nil && metadata.dropCount == nil)
    let time = try #require(metadata.timestamp)
    var now = timespec()
    // The kernel writes the time during the call.
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    #expect(abs(now.tv_sec * 1_000_000_000 + now.tv_nsec - Int(time)) < 5_000_000_000)
    let sender = try #require(IPSocketAddress(info.address))
    #expect(sender.unmapped.ip == wanted.source)

    // And back, from the address that it came to: on a dual-stack socket to a mapped address too.
    for option in [SocketOption<UDPSocketOptions, Bool>.receiveHopLimit, .receiveTrafficClass] {
      try client.setOption(option, to: true)
    }
    var answer = wanted
    answer.source = metadata.destination?.ip
    answer.interfaceIndex = 0
    answer.hopLimit = 9
    #expect(try server.send([4].span, to: sender, metadata: answer) == 1)
    let back = try client.nextWithMetadata()
    #expect(try back.0 == [4] && IPSocketAddress(back.1.address) == target.with(port: server.port()))
    #expect(back.2.hopLimit == 9 && back.2.trafficClass == 46 << 2 | 2)
  }

  @Test func theSocketsOwnOptionsShowToo() throws {
    let server = try server(.dualStackFromV4)
    let port = try server.port()
    let four = try UDPSocket.connect(to: .loopback(port: port)) { (socket) throws(SocketError) in
      try socket.setOption(.timeToLive, to: 5)
      try socket.setOption(.typeOfService, to: 8)
    }
    #expect(try four.send([1].span) == 1)
    let first = try server.nextWithMetadata()
    #expect(first.2.hopLimit == 5 && first.2.trafficClass == 8)
    let six = try UDPSocket.connect(to: .loopbackIPv6(port: port)) { (socket) throws(SocketError) in
      try socket.setOption(.hopLimit, to: 6)
      try socket.setOption(.trafficClass, to: 12)
    }
    #expect(try six.send([1].span) == 1)
    let second = try server.nextWithMetadata()
    #expect(second.2.hopLimit == 6 && second.2.trafficClass == 12)
  }

  @Test func destinationsAreTheOnesInTheHeader() throws {
    let server = try UDPSocket.bind(to: .anyIPv4(port: 0))
    try server.setOption(.packetInfo, to: true)
    let client = try UDPSocket.bind(to: .anyIPv4(port: 0))
    for last in [1, 5, 200] as [UInt8] {
      let target = IPSocketAddress(IPv4Address(127, 0, 0, last), port: try server.port())
      #expect(try client.send([last].span, to: target) == 1)
      let received = try server.nextWithMetadata()
      #expect(received.2.destination == target.with(port: 0))
    }
    try server.setOption(.packetInfo, to: false)
    #expect(try client.send([1].span, to: .loopback(port: server.port())) == 1)
    let plain = try server.nextWithMetadata()
    #expect(plain.2 == PacketMetadata(ancillary: RawSpan()) && plain.1.ancillaryLength == 0)
  }

  @Test func badSourcesAndInterfaces() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let target = try server.localAddress()
    func code(_ socket: borrowing UDPSocket, _ target: IPSocketAddress, _ metadata: OutgoingMetadata) -> SocketError
      .Code?
    {
      do throws(SocketError) {
        _ = try socket.send([1].span, to: target, metadata: metadata)
        return nil
      } catch {
        return error.operation == .send ? error.code : .other
      }
    }
    let four = try UDPSocket.bind(to: .anyIPv4(port: 0))
    let six = try UDPSocket.bind(to: .any(port: 0))
    var metadata = OutgoingMetadata()
    metadata.source = .v6(.loopback)
    #expect(code(four, target, metadata) == .invalidArgument)
    // Foreign: EINVAL or ENETUNREACH, by kernel version.
    metadata.source = .v4(IPv4Address(192, 0, 2, 99))
    let foreign = code(four, target, metadata)
    #expect(foreign == .invalidArgument || foreign == .unreachable)
    #expect(code(six, .loopbackIPv6(port: 9), metadata) == .invalidArgument)
    metadata.source = nil
    metadata.interfaceIndex = 99_999
    #expect(code(four, target, metadata) == .addressNotAvailable)
    #expect(code(six, .loopbackIPv6(port: 9), metadata) == .addressNotAvailable)
    #expect(try isQuiet(server))
  }

  @Test func theKernelTellsWhatItDropped() throws {
    let server = try server(.v4)
    try server.setOption(.receiveBuffer, to: 0)
    let client = try UDPSocket.connect(to: server.localAddress())
    for _ in 0..<50 { _ = try client.send(pattern(200).span) }
    var batch = MessageBatch(capacity: 64, messageCapacity: 200)
    let kept = try batch.receive(from: server, until: .after(soon))
    #expect(kept < 50)
    #expect(try client.send([1].span) == 1)
    let next = try server.nextWithMetadata()
    #expect(next.2.dropCount == UInt32(50 - kept))
  }

  @Test func microsecondTimestamps() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    try server.setOption(.timestamps, to: true)
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.send([1].span) == 1)
    let received = try server.nextWithMetadata()
    let time = try #require(received.2.timestamp)
    #expect(time % 1000 == 0 && time > 1_700_000_000_000_000_000)
  }

  /// SOF_TIMESTAMPING_TX_SOFTWARE, RX_SOFTWARE, SOFTWARE, OPT_ID: the time of sending comes by the error queue.
  @Test func timesOfSendingAndReceiving() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    try server.setOption(.timestampingFlags, to: 8 | 16)
    let client = try UDPSocket.connect(to: server.localAddress())
    // The kernel switches its clock on in the background, so the first packets may have no time.
    var isOn = false
    for _ in 0..<500 where !isOn {
      #expect(try client.send([0].span) == 1)
      isOn = try server.nextWithMetadata().2.timestamp != nil
      if !isOn { sleep(milliseconds: 5) }
    }
    try client.setOption(.timestampingFlags, to: 2 | 16 | 128)
    for number in 0..<3 as Range<UInt32> {
      #expect(try client.send([1, 2].span) == 2)
      let received = try server.nextWithMetadata()
      let arrival = try #require(received.2.timestamp)
      var entry: QueuedError<IPSocketAddress>?
      for _ in 0..<100 where entry == nil {
        entry = try client.nextQueuedError()
        if entry == nil { sleep(milliseconds: 5) }
      }
      let sent = try #require(entry)
      #expect(sent.error.origin == .timestamping && sent.error.data == number)
      #expect(abs(try #require(sent.metadata.timestamp) - arrival) < 1_000_000_000)
    }
  }
}
