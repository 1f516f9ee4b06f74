import Glibc
import SocketKit
import TestSupport
import Testing

/// `.multicastLoop`, over an interface that is not loopback: loopback itself returns every packet.
@Suite(.exclusive) struct UDPMulticastLoopTests {
  /// One attribute of rtnetlink(7): length, type, value, and zeros up to a multiple of four.
  private func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
    let length = UInt16(4 + value.count)
    return length.rawBytes + type.rawBytes + value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
  }

  /// Waits until IPv6 may be used on the interface. The kernel gets it ready after the call that set it up has
  /// returned.
  private func waitForIPv6(on name: String) throws {
    let deadline = Deadline.after(.seconds(20))
    while true {
      if try text(of: "/proc/thread-self/net/if_inet6").contains(name) { return }
      try #require(!deadline.hasPassed, "\(name) has no IPv6 address")
      sleep(milliseconds: 2)
    }
  }

  /// Makes a pair of connected interfaces (veth(4)) and sets both up. Returns the number of the first, or nil when the
  /// kernel has no such interfaces.
  private func makeInterfaces() throws -> UInt32? {
    let socket = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
      SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
    // struct ifinfomsg; IFLA_IFNAME; IFLA_LINKINFO with IFLA_INFO_KIND.
    let content =
      [UInt8](repeating: 0, count: 16) + attribute(3, Array("near\0".utf8))
      + attribute(18, attribute(1, Array("veth".utf8)))
    // RTM_NEWLINK; request, acknowledge, exclusively, create.
    let header: [UInt32] = [UInt32(16 + content.count), 16 | 0x605 << 16, 1, 0]
    let message = header.flatMap(\.rawBytes) + content
    var kernel = [UInt8](repeating: 0, count: 12)
    kernel[0] = 16
    guard let address = AnySocketAddress(sockaddr: kernel.span.integerBytes) else { return nil }
    try socket.send(message.span, to: address, until: .after(soon))
    var answer = [UInt8](repeating: 1, count: 256)
    var info = MessageInfo()
    let count = try socket.receive(into: answer.mutableSpan, &info, until: .after(soon))
    guard count >= 20, answer[16..<20].allSatisfy({ $0 == 0 }) else { return nil }
    let control = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(control) }
    for name in ["near", "veth0"] {
      // SIOCSIFADDR with a sockaddr_in of 10.9.9.1, then SIOCSIFFLAGS: up, multicast (netdevice(7)).
      var request = [UInt8](repeating: 0, count: 40)
      request.replaceSubrange(0..<name.utf8.count, with: name.utf8)
      if name == "near" {
        request.replaceSubrange(16..<24, with: [2, 0, 0, 0, 10, 9, 9, 1])
        let result = CLibrary.ioctl(control, SIOCSIFADDR, &request)
        try #require(result == 0, "errno \(errno)")
      }
      request.replaceSubrange(16..<24, with: [1, 0x10, 0, 0, 0, 0, 0, 0])
      let result = CLibrary.ioctl(control, SIOCSIFFLAGS, &request)
      try #require(result == 0, "errno \(errno)")
    }
    let index = InterfaceNames.index(of: "near")
    #expect(index != nil)
    return index
  }

  @Test(arguments: [UDPWay.v4, .v6]) func withoutItThisHostsMembersHearNothing(_ way: UDPWay) throws {
    let group =
      way == .v4
      ? IPAddress.v4(IPv4Address(239, 1, 2, 3)) : .v6(IPv6Address(high: 0xff15_0000_0000_0000, low: 0x1234))
    try inNamespaceWithLoopback {
      // Without duplicate address detection an IPv6 address is usable sooner.
      _ = writeFile("/proc/sys/net/ipv6/conf/default/accept_dad", "0")
      guard let index = try makeInterfaces() else { return unavailable("no veth in this kernel") }
      if way == .v6 { try waitForIPv6(on: "near") }
      let receiver = try UDPSocket.bind(to: way == .v4 ? .anyIPv4(port: 0) : .any(port: 0))
      let sender = try UDPSocket.bind(to: way == .v4 ? .anyIPv4(port: 0) : .any(port: 0))
      try sender.setOption(.multicastInterface, to: index)
      try receiver.join(MulticastGroup(group, interface: .index(index)))
      let target = group.with(port: try receiver.port())
      #expect(try sender.option(.multicastLoop))
      for (isOn, byte) in [(true, 1), (false, 2), (true, 3), (false, 4)] as [(Bool, UInt8)] {
        try sender.setOption(.multicastLoop, to: isOn)
        #expect(try sender.option(.multicastLoop) == isOn)
        #expect(try sender.send([byte].span, to: target) == 1)
        if isOn {
          let heard = try receiver.next()
          #expect(heard.bytes == [byte])
        }
        #expect(try isQuiet(receiver), "loop \(isOn)")
      }
    }
  }
}
