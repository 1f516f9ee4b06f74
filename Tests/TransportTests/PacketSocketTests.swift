import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

/// The counters and memberships of packet sockets. Each test has a network namespace of its own.
@Suite(.exclusive) struct PacketSocketTests {
  private typealias PacketSocket = GenericMessageSocket<AnySocketAddress, SocketLevelOptions>

  private static let loopback: UInt32 = 1

  private func open() throws(SocketError) -> PacketSocket {
    try PacketSocket.open(SocketKind(AddressFamily(rawValue: 17), .datagram))
  }

  /// sockaddr_ll: family, protocol in network order, index …
  private func link(_ index: UInt32) throws -> AnySocketAddress {
    var bytes = [UInt8](repeating: 0, count: 20)
    bytes[0] = 17
    bytes[2] = 0x08
    bytes.put(index, at: 4)
    let address = AnySocketAddress(sockaddr: bytes.span.integerBytes)
    return try #require(address)
  }

  private func send(_ count: Int) throws {
    let sender = try UDPSocket.bind(to: .loopback(port: 0))
    let receiver = try UDPSocket.bind(to: .loopback(port: 0))
    let bytes = [UInt8](repeating: 1, count: 500)
    for _ in 0..<count { _ = try sender.send(bytes.span, to: receiver.localAddress()) }
  }

  private func drain(_ socket: borrowing PacketSocket) throws -> Int {
    var buffer = [UInt8](repeating: 0, count: 2048)
    var count = 0
    var info = MessageInfo()
    while try socket.receive(into: buffer.mutableSpan, &info) != nil { count += 1 }
    return count
  }

  private func numbers(_ statistics: PacketStatistics) -> [UInt32?] {
    [statistics.packets, statistics.drops, statistics.freezes]
  }

  @Test func packetsAreCountedSinceTheLastTime() throws {
    try inNamespaceWithLoopback {
      var tap = try open()
      try tap.bind(to: link(Self.loopback))
      _ = try tap.takePacketStatistics()
      try send(3)
      // Only sockets of all protocols see outgoing packets.
      let next = try tap.option(.queuedInputBytes)
      let first = try tap.takePacketStatistics()
      let second = try tap.takePacketStatistics()
      let received = try drain(tap)
      #expect(numbers(first) == [3, 0, nil] && received == 3 && next == 528)
      #expect(numbers(second) == [0, 0, nil])
    }
  }

  @Test func whatHadNoRoomIsCountedAsDropped() throws {
    try inNamespaceWithLoopback {
      var tap = try open()
      try tap.setOption(.receiveBuffer, to: 4096)
      try tap.bind(to: link(Self.loopback))
      _ = try tap.takePacketStatistics()
      try send(50)
      let statistics = try tap.takePacketStatistics()
      let received = try drain(tap)
      #expect(statistics.packets == 50 && statistics.drops > 0)
      #expect(Int(statistics.packets - statistics.drops) == received)
    }
  }

  @Test func ringsOfVersionThreeCountFreezesToo() throws {
    try inNamespaceWithLoopback {
      var tap = try open()
      try tap.setOption(
        SocketOption(integer: CSK_PACKET_VERSION, level: CSK_SOL_PACKET), to: Int(CSK_TPACKET_V3))
      try tap.bind(to: link(Self.loopback))
      _ = try tap.takePacketStatistics()
      try send(1)
      let statistics = try tap.takePacketStatistics()
      #expect(numbers(statistics) == [1, 0, 0])
    }
  }

  /// How many sockets have put loopback into promiscuous mode: IFLA_PROMISCUITY of rtnetlink(7).
  private func promiscuity(attribute: UInt16 = 30) throws -> UInt32? {
    let socket = try PacketSocket.open(SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
    // Length; RTM_GETLINK and NLM_F_REQUEST; sequence; port; then family and type, the index, flags, change.
    let words: [UInt32] = [32, 18 | 1 << 16, 1, 0, 0, Self.loopback, 0, 0]
    let message = words.flatMap(\.rawBytes)
    var kernel = [UInt8](repeating: 0, count: 12)
    kernel[0] = 16
    let netlink = AnySocketAddress(sockaddr: kernel.span.integerBytes)
    let address = try #require(netlink)
    _ = try socket.send(message.span, to: address)
    var answer = [UInt8](repeating: 0, count: 16384)
    var info = MessageInfo()
    let count = try socket.receive(into: answer.mutableSpan, &info, until: .after(.seconds(5)))
    var offset = 32
    while offset + 4 <= count {
      let length = Int(answer.integer(at: offset, as: UInt16.self))
      if answer.integer(at: offset + 2, as: UInt16.self) == attribute {
        return answer.integer(at: offset + 4, as: UInt32.self)
      }
      offset += max(4, (length + 3) & ~3)
    }
    return nil
  }

  /// Whether loopback listens to this multicast hardware address, according to /proc/net/dev_mcast.
  private func hears(_ address: String) throws -> Bool {
    try text(of: "/proc/thread-self/net/dev_mcast").contains(address)
  }

  @Test func aPromiscuousMembershipIsCounted() throws {
    try inNamespaceWithLoopback {
      let first = try open()
      let before = try promiscuity()
      try first.join(.promiscuous, interfaceIndex: Self.loopback)
      let joined = try promiscuity()
      do {
        let second = try open()
        try second.join(.promiscuous, interfaceIndex: Self.loopback)
        let both = try promiscuity()
        #expect(both == 2)
      }
      // It ended with its socket.
      let one = try promiscuity()
      try first.leave(.promiscuous, interfaceIndex: Self.loopback)
      let none = try promiscuity()
      #expect(before == 0 && joined == 1 && one == 1 && none == 0)
    }
  }

  @Test func membershipsInGroupsReachTheInterface() throws {
    try inNamespaceWithLoopback {
      let socket = try open()
      let group: [UInt8] = [0x01, 0x00, 0x5e, 0x7f, 0x01, 0x02]
      try socket.join(.multicast(group), interfaceIndex: Self.loopback)
      let joined = try hears("01005e7f0102")
      try socket.leave(.multicast(group), interfaceIndex: Self.loopback)
      let left = try hears("01005e7f0102")
      #expect(joined && !left)
      // IFLA_ALLMULTI, Linux 6.0.
      let before = try promiscuity(attribute: 61)
      try socket.join(.allMulticast, interfaceIndex: Self.loopback)
      let all = try promiscuity(attribute: 61)
      try socket.leave(.allMulticast, interfaceIndex: Self.loopback)
      let none = try promiscuity(attribute: 61)
      #expect(before == nil || (before == 0 && all == 1 && none == 0))
      #expect(before != nil || !mustBeAvailable, "unavailable: this kernel does not report the count")
      try socket.join(.unicast([2, 0, 0, 0, 0, 9]), interfaceIndex: Self.loopback)
      try socket.leave(.unicast([2, 0, 0, 0, 0, 9]), interfaceIndex: Self.loopback)
    }
  }

  @Test func whatIsNoMembershipIsATypedError() throws {
    try inNamespaceWithLoopback {
      let socket = try open()
      // Leaving what was not joined does nothing: another socket's membership stays.
      let other = try open()
      try other.join(.promiscuous, interfaceIndex: Self.loopback)
      try socket.leave(.promiscuous, interfaceIndex: Self.loopback)
      let count = try promiscuity()
      #expect(count == 1)
      let nowhere = failure(SocketError.self) { () throws(SocketError) in
        try socket.join(.promiscuous, interfaceIndex: 4711)
      }
      #expect(nowhere == SocketError(code: .addressNotAvailable, .setOption, errno: ENODEV))
      for address in [[1, 2, 3], [UInt8](repeating: 1, count: 32), [UInt8](repeating: 1, count: 33)] as [[UInt8]] {
        let error = failure(SocketError.self) { () throws(SocketError) in
          try socket.join(.multicast(address), interfaceIndex: Self.loopback)
        }
        #expect(error?.code == .invalidArgument, "\(address.count)")
      }
      let udp = try GenericMessageSocket<IPSocketAddress, SocketLevelOptions>.open(for: .loopback(port: 0))
      let wrong = failure(SocketError.self) { () throws(SocketError) in _ = try udp.takePacketStatistics() }
      let joining = failure(SocketError.self) { () throws(SocketError) in
        try udp.join(.promiscuous, interfaceIndex: Self.loopback)
      }
      #expect(wrong?.code == .notSupported && joining?.code == .notSupported)
    }
  }
}
