import Glibc
import SocketKit
import TestSupport
import Testing

/// In a network namespace, over loopback, whose number is 1 there as everywhere.
@Suite(.exclusive) struct UDPMulticastTests {
  private static let four = IPAddress.v4(IPv4Address(239, 1, 2, 3))
  private static let six = IPAddress.v6(IPv6Address(high: 0xff15_0000_0000_0000, low: 0x1234))
  private static let local = IPv4Address.loopback

  private func code(_ body: () throws(SocketError) -> Void) -> SocketError.Code? {
    do throws(SocketError) {
      try body()
      return nil
    } catch {
      return error.operation == .setOption ? error.code : .other
    }
  }

  /// A receiver on a group's port and a sender, in a namespace.
  private func pair(_ way: UDPWay) throws -> [RawDescriptor]? {
    try socketsInNamespace {
      let receiver = try UDPSocket.bind(to: way == .v4 ? .anyIPv4(port: 0) : .any(port: 0))
      let sender = try UDPSocket.bind(to: way.isIPv4 ? .loopback(port: 0) : .loopbackIPv6(port: 0))
      try sender.setOption(.multicastInterface, to: 1)
      // IPv6's route over loopback leads every group to every socket that does not choose.
      if !way.isIPv4 { try receiver.setOption(.multicastAll, to: false) }
      return [receiver.released(), sender.released()]
    }
  }

  private func hears(
    _ receiver: borrowing UDPSocket, _ sender: borrowing UDPSocket, _ group: IPAddress
  ) throws -> Bool {
    #expect(try sender.send([42].span, to: group.with(port: receiver.port())) == 1)
    if try isQuiet(receiver) { return false }
    let (bytes, info) = try receiver.next()
    #expect(try bytes == [42] && IPSocketAddress(info.address)?.unmapped == sender.localAddress())
    return true
  }

  @Test(arguments: UDPWay.allCases) func membersHearTheirGroup(_ way: UDPWay) throws {
    guard let made = try pair(way) else { return }
    let receiver = adopt(made[0])
    let sender = adopt(made[1])
    let group = way.isIPv4 ? Self.four : Self.six
    #expect(try !hears(receiver, sender, group))
    try receiver.join(MulticastGroup(group, interface: .index(1)))
    #expect(try hears(receiver, sender, group))
    #expect(
      code { () throws(SocketError) in try receiver.join(MulticastGroup(group, interface: .index(1))) } == .addressInUse
    )
    try receiver.setOption(.packetInfo, to: true)
    #expect(try sender.send([1].span, to: group.with(port: receiver.port())) == 1)
    let received = try receiver.nextWithMetadata()
    #expect(received.2.destination?.ip == group && received.2.interfaceIndex == 1)
    try receiver.leave(MulticastGroup(group, interface: .index(1)))
    #expect(try !hears(receiver, sender, group))
    #expect(
      code { () throws(SocketError) in try receiver.leave(MulticastGroup(group, interface: .index(1))) }
        == .addressNotAvailable)
  }

  @Test func ipv4GroupsByAnInterfacesAddress() throws {
    guard let made = try pair(.v4) else { return }
    let receiver = adopt(made[0])
    let sender = adopt(made[1])
    let group = IPv4Address(239, 9, 9, 9)
    try sender.setOption(.multicastInterfaceAddress, to: Self.local)
    #expect(try sender.option(.multicastInterfaceAddress) == Self.local)
    try receiver.join(MulticastGroup(.v4(group), interface: .address(Self.local)))
    #expect(try hears(receiver, sender, .v4(group)))
    try receiver.leave(MulticastGroup(.v4(group), interface: .address(Self.local)))
    #expect(try !hears(receiver, sender, .v4(group)))
    try receiver.join(MulticastGroup(.v4(group), source: .v4(Self.local), interface: .address(Self.local)))
    #expect(try hears(receiver, sender, .v4(group)))
    try receiver.leave(MulticastGroup(.v4(group), source: .v4(Self.local), interface: .address(Self.local)))
    #expect(try !hears(receiver, sender, .v4(group)))
  }

  @Test(arguments: UDPWay.allCases) func oneSourceOfAGroup(_ way: UDPWay) throws {
    guard let made = try pair(way) else { return }
    let receiver = adopt(made[0])
    let sender = adopt(made[1])
    let group = way.isIPv4 ? Self.four : Self.six
    let source = try sender.localAddress().ip
    let stranger: IPAddress =
      way.isIPv4 ? .v4(IPv4Address(127, 0, 0, 77)) : .v6(IPv6Address(high: 0xfd00 << 48, low: 77))
    try receiver.join(MulticastGroup(group, source: stranger, interface: .index(1)))
    #expect(try !hears(receiver, sender, group))
    try receiver.join(MulticastGroup(group, source: source, interface: .index(1)))
    #expect(try hears(receiver, sender, group))
    #expect(
      code { () throws(SocketError) in try receiver.join(MulticastGroup(group, source: source, interface: .index(1))) }
        == .addressNotAvailable)
    try receiver.leave(MulticastGroup(group, source: source, interface: .index(1)))
    #expect(try !hears(receiver, sender, group))
    try receiver.leave(MulticastGroup(group, source: stranger, interface: .index(1)))
    // Leaving the last source has left the group: EINVAL.
    #expect(
      code { () throws(SocketError) in try receiver.leave(MulticastGroup(group, source: source, interface: .index(1))) }
        == .invalidArgument)
  }

  @Test(arguments: [UDPWay.v4, .v6]) func allGroupsOrOnlyTheOwn(_ way: UDPWay) throws {
    guard let made = try pair(way) else { return }
    let receiver = adopt(made[0])
    let sender = adopt(made[1])
    let group = way.isIPv4 ? Self.four : Self.six
    // The sender joins: so the host is a member, and whoever is bound to the port hears.
    try sender.join(MulticastGroup(group, interface: .index(1)))
    try receiver.setOption(.multicastAll, to: true)
    #expect(try receiver.option(.multicastAll))
    #expect(try hears(receiver, sender, group))
    try receiver.setOption(.multicastAll, to: false)
    #expect(try !receiver.option(.multicastAll))
    #expect(try !hears(receiver, sender, group))
  }

  @Test(arguments: UDPWay.allCases) func hopsOfMulticastPackets(_ way: UDPWay) throws {
    guard let made = try pair(way) else { return }
    let receiver = adopt(made[0])
    let sender = adopt(made[1])
    let group = way.isIPv4 ? Self.four : Self.six
    try receiver.join(MulticastGroup(group, interface: .index(1)))
    try receiver.setOption(.receiveHopLimit, to: true)
    #expect(try sender.option(.multicastHops) == 1)
    for hops in [1, 33, 255] {
      try sender.setOption(.multicastHops, to: hops)
      #expect(try sender.option(.multicastHops) == hops)
      #expect(try sender.send([1].span, to: group.with(port: receiver.port())) == 1)
      let received = try receiver.nextWithMetadata()
      #expect(received.2.hopLimit == UInt8(hops))
    }
    #expect(code { () throws(SocketError) in try sender.setOption(.multicastHops, to: 256) } == .invalidArgument)
  }

  /// A dual-stack socket sends to groups of both versions, by the one setting.
  @Test func aDualStackSenderReachesBoth() throws {
    let made = try socketsInNamespace {
      let receiver = try UDPSocket.bind(to: .any(port: 0))
      let sender = try UDPSocket.bind(to: .any(port: 0))
      try sender.setOption(.multicastInterface, to: 1)
      try sender.setOption(.multicastHops, to: 5)
      return [receiver.released(), sender.released()]
    }
    guard let made else { return }
    let receiver = adopt(made[0])
    let sender = adopt(made[1])
    #expect(try sender.option(.multicastInterface) == 1)
    try receiver.setOption(.receiveHopLimit, to: true)
    let mapped = IPAddress.v6(IPv6Address(mapped: IPv4Address(239, 1, 2, 3)))
    try receiver.join(MulticastGroup(mapped, interface: .index(1)))
    try receiver.join(MulticastGroup(Self.six, interface: .index(1)))
    for group in [mapped, Self.six] {
      #expect(try sender.send([1].span, to: group.with(port: receiver.port())) == 1)
      let received = try receiver.nextWithMetadata()
      #expect(received.2.hopLimit == 5)
    }
  }

  @Test func badGroupsNeverReachTheKernel() throws {
    let socket = try UDPSocket.bind(to: .any(port: 0))
    let bad = SocketError(code: .invalidAddress, .setOption)
    let local = IPAddress.v4(Self.local)
    for group in [local, .v4(.any), .v4(.broadcast), .v6(.loopback), .v6(.any), .v4(IPv4Address(240, 0, 0, 0))] {
      #expect(!group.isMulticast)
      #expect(throws: bad) { try socket.join(MulticastGroup(group)) }
      #expect(throws: bad) { try socket.leave(MulticastGroup(group)) }
      #expect(throws: bad) { try socket.join(MulticastGroup(group, source: local)) }
      #expect(throws: bad) { try socket.leave(MulticastGroup(group, source: local)) }
    }
    #expect(throws: bad) { try socket.join(MulticastGroup(Self.four, source: .v6(.loopback))) }
    #expect(throws: bad) { try socket.join(MulticastGroup(Self.four, source: Self.four)) }
    #expect(throws: bad) { try socket.join(MulticastGroup(Self.six, source: local)) }
    #expect(throws: bad) { try socket.join(MulticastGroup(local, interface: .address(Self.local))) }
    #expect(throws: bad) { try socket.leave(MulticastGroup(local, interface: .address(Self.local))) }
    // Only IPv4 names an interface by its address.
    #expect(throws: bad) { try socket.join(MulticastGroup(Self.six, interface: .address(Self.local))) }
    #expect(throws: bad) { try socket.leave(MulticastGroup(Self.six, interface: .address(Self.local))) }
    let group = IPv4Address(239, 1, 1, 1)
    #expect(throws: bad) {
      try socket.join(MulticastGroup(.v4(group), source: .v4(group), interface: .address(Self.local)))
    }
  }

  /// The routing table selects the interface for number 0, as for nil.
  @Test func interfaceZeroIsTheRoutingTables() throws {
    guard let made = try pair(.v6) else { return }
    let receiver = adopt(made[0])
    _ = adopt(made[1])
    try receiver.join(MulticastGroup(Self.six, interface: .index(0)))
    #expect(code { () throws(SocketError) in try receiver.join(MulticastGroup(Self.six)) } == .addressInUse)
    try receiver.leave(MulticastGroup(Self.six))
  }

  @Test func badInterfaces() throws {
    let four = try UDPSocket.bind(to: .loopback(port: 0))
    let six = try UDPSocket.bind(to: .loopbackIPv6(port: 0))
    let nowhere = IPv4Address(192, 0, 2, 99)
    let group = IPv4Address(239, 1, 1, 1)
    #expect(
      code { () throws(SocketError) in try four.join(MulticastGroup(Self.four, interface: .index(9999))) }
        == .addressNotAvailable)
    #expect(
      code { () throws(SocketError) in try six.join(MulticastGroup(Self.six, interface: .index(9999))) }
        == .addressNotAvailable)
    #expect(
      code { () throws(SocketError) in try four.join(MulticastGroup(.v4(group), interface: .address(nowhere))) }
        == .addressNotAvailable)
    #expect(
      code { () throws(SocketError) in try four.setOption(.multicastInterface, to: 9999) } == .addressNotAvailable)
    #expect(code { () throws(SocketError) in try six.setOption(.multicastInterface, to: 9999) } == .addressNotAvailable)
    #expect(
      code { () throws(SocketError) in try four.setOption(.multicastInterfaceAddress, to: nowhere) }
        == .addressNotAvailable)
    #expect(
      code { () throws(SocketError) in try four.join(MulticastGroup(Self.six, interface: .index(1))) } == .notSupported)
    #expect(throws: SocketError(code: .notSupported, .getOption)) { _ = try four.option(.multicastInterface) }
  }

  /// net.ipv4.igmp_max_memberships, which each namespace has of its own.
  @Test func theKernelsLimitOfMemberships() throws {
    let path = "/proc/sys/net/ipv4/igmp_max_memberships"
    try inNamespaceWithLoopback {
      guard writeFile(path, "3") else { return unavailable("\(path) cannot be written") }
      let socket = try UDPSocket.bind(to: .loopback(port: 0))
      func join(_ last: UInt8) -> SocketError.Code? {
        code { () throws(SocketError) in
          try socket.join(MulticastGroup(.v4(IPv4Address(239, 7, 7, last)), interface: .index(1)))
        }
      }
      #expect([join(1), join(2), join(3), join(4)] == [nil, nil, nil, .outOfMemory])
      try socket.leave(MulticastGroup(.v4(IPv4Address(239, 7, 7, 2)), interface: .index(1)))
      #expect(join(4) == nil)
    }
  }
}
