import Glibc
import SocketKit
import TestSupport
import Testing

/// The address that an answer comes from, also where the question was a broadcast or went to a group.
@Suite(.exclusive) struct UDPAnswerTests {
  /// A server on all addresses and a client that may broadcast, in a namespace.
  private func pair(_ way: UDPWay, joining group: IPAddress? = nil) throws -> [RawDescriptor]? {
    try socketsInNamespace {
      let server = try UDPSocket.bind(to: way == .v4 ? .anyIPv4(port: 0) : .any(port: 0))
      try server.setOption(.packetInfo, to: true)
      if let group { try server.join(MulticastGroup(group, interface: .index(1))) }
      let client = try UDPSocket.bind(to: way.isIPv4 ? .loopback(port: 0) : .loopbackIPv6(port: 0))
      if way.isIPv4 { try client.setOption(.broadcast, to: true) }
      try client.setOption(.multicastInterface, to: 1)
      return [server.released(), client.released()]
    }
  }

  /// Sends a question to an address, and an answer as the question's metadata says. Returns that metadata, and the
  /// address that the answer came from.
  private func ask(
    _ server: borrowing UDPSocket, _ client: borrowing UDPSocket, at address: IPAddress
  ) throws -> (PacketMetadata, IPSocketAddress) {
    #expect(try client.send([1].span, to: address.with(port: server.port())) == 1)
    let (bytes, info, metadata) = try server.nextWithMetadata()
    let sender = try #require(IPSocketAddress(info.address))
    #expect(try bytes == [1] && sender.unmapped == client.localAddress())
    let answer = OutgoingMetadata(answering: metadata)
    #expect(try server.send([2].span, to: sender, metadata: answer) == 1)
    let heard = try client.next()
    #expect(heard.bytes == [2])
    return (metadata, try #require(IPSocketAddress(heard.info.address)))
  }

  @Test(arguments: [UDPWay.v4, .dualStackFromV4]) func aBroadcastIsAnsweredFromThisHostsAddress(_ way: UDPWay) throws {
    guard let made = try pair(way) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    let everybody = IPAddress.v4(IPv4Address(127, 255, 255, 255))
    let (metadata, from) = try ask(server, client, at: everybody)
    #expect(metadata.destination?.ip == everybody && metadata.interfaceIndex == 1)
    #expect(metadata.localAddress == .v4(.loopback))
    #expect(try from == .loopback(port: server.port()))
    // The broadcast address cannot be a source: EINVAL or ENETUNREACH, by kernel version.
    var wrong = OutgoingMetadata()
    wrong.source = everybody
    let target = try client.localAddress()
    let address =
      if case .v4(let four) = target.ip, way != .v4 {
        IPSocketAddress(IPv6Address(mapped: four), port: target.port)
      } else { target }
    let error = failure(SocketError.self) { () throws(SocketError) in
      _ = try server.send([3].span, to: address, metadata: wrong)
    }
    #expect(error?.operation == .send && (error?.errno == EINVAL || error?.errno == ENETUNREACH), "\(error as Any)")
  }

  @Test(arguments: [UDPWay.v4, .dualStackFromV4]) func anIPv4GroupIsAnsweredFromThisHostsAddress(_ way: UDPWay) throws {
    let group = IPAddress.v4(IPv4Address(239, 1, 2, 3))
    guard let made = try pair(way, joining: group) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    let (metadata, from) = try ask(server, client, at: group)
    #expect(metadata.destination?.ip == group && metadata.localAddress == .v4(.loopback))
    #expect(try from == .loopback(port: server.port()))
  }

  @Test func anIPv6GroupIsAnsweredByTheInterface() throws {
    let group = IPAddress.v6(IPv6Address(high: 0xff15_0000_0000_0000, low: 0x1234))
    guard let made = try pair(.v6, joining: group) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    let (metadata, from) = try ask(server, client, at: group)
    #expect(metadata.destination?.ip == group && metadata.localAddress == nil)
    let answer = OutgoingMetadata(answering: metadata)
    #expect(answer.source == nil && answer.interfaceIndex == 1)
    #expect(try from == .loopbackIPv6(port: server.port()))
  }

  @Test(arguments: UDPWay.allCases) func oneHostIsAnsweredFromWhereItWasAsked(_ way: UDPWay) throws {
    guard let made = try pair(way) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    let asked = way.isIPv4 ? IPAddress.v4(IPv4Address(127, 3, 2, 1)) : .v6(.loopback)
    let (metadata, from) = try ask(server, client, at: asked)
    #expect(metadata.localAddress == asked && metadata.destination?.ip == asked)
    #expect(try from == asked.with(port: server.port()))
    #expect(OutgoingMetadata(answering: metadata).interfaceIndex == 0)
  }

  /// The calls set aside enough room for all metadata of an IPv4 packet on a dual-stack socket.
  @Test func everythingAtOnceIsToldWhole() throws {
    guard let made = try pair(.dualStackFromV4) else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    for option in [
      SocketOption<UDPSocketOptions, Bool>.receiveHopLimit, .receiveTrafficClass, .receiveOriginalDestination,
      .receivePathMTU,
    ] {
      try server.setOption(option, to: true)
      #expect(try server.option(option))
    }
    try server.setOption(.nanosecondTimestamps, to: true)
    try server.setOption(.timestampingFlags, to: 8 | 16)
    try server.setOption(.dropCount, to: true)
    try server.setOption(.coalescing, to: true)
    // The kernel drops some, so that it reports a count of them. Then several arrive as one.
    try server.setOption(.receiveBuffer, to: 0)
    let target = IPSocketAddress.loopback(port: try server.port())
    for _ in 0..<50 { _ = try client.send(pattern(200).span, to: target) }
    var batch = MessageBatch(capacity: 64, messageCapacity: 200)
    _ = try batch.receive(from: server, until: .after(soon))
    try server.setOption(.receiveBuffer, to: 1 << 20)
    var cut = OutgoingMetadata()
    cut.segmentSize = 100
    #expect(try client.send(pattern(300).span, to: target, metadata: cut) == 300)
    let (bytes, info, metadata) = try server.nextWithMetadata()
    #expect(bytes.count == 300 && info.flags == [] && info.ancillaryLength <= 320)
    #expect(metadata.segmentSize == 100 && metadata.hopLimit == 64 && metadata.trafficClass == 0)
    #expect(metadata.dropCount ?? 0 > 0 && metadata.originalDestination == target)
    #expect(metadata.localAddress == .v4(.loopback) && metadata.interfaceIndex == 1)
  }
}
