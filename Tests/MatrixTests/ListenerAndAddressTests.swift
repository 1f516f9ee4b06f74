import SocketKit
import SocketKitConformance
import TestSupport
import Testing

private func suite<S: Transport & Acceptable<Void> & ~Copyable>(
  _ name: String, _ type: S.Type, on address: @escaping @Sendable () throws -> S.Address
) -> ListenerSuite<S> {
  ListenerSuite(name) {
    try S.listen(on: address())
  } connect: {
    try S.connect(to: $0, until: .after(.seconds(5)))
  }
}

enum Listeners {
  static let tcp4 = suite("TCP over IPv4", TCPSocket.self) { .loopback(port: 0) }
  static let tcp6 = suite("TCP over IPv6", TCPSocket.self) { .loopbackIPv6(port: 0) }
  static let unixPath = suite("Unix path", UnixStreamSocket.self) { try freshPath() }
  static let unixAbstract = suite("Unix name", UnixStreamSocket.self) { try freshAbstractName() }
}

@Suite(.exclusive) struct ListenerTests {
  @Test(arguments: Listeners.tcp4.rules) func tcp4(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Listeners.tcp6.rules) func tcp6(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Listeners.unixPath.rules) func unixPath(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Listeners.unixAbstract.rules) func unixAbstract(_ rule: ConformanceRule) { check(rule) }
}

enum Addresses {
  static let ipSamples: [IPSocketAddress] = [
    .loopback(port: 0), .loopback(port: 65535), .loopbackIPv6(port: 80), .any(port: 1), .anyIPv4(port: 1),
    IPSocketAddress(IPv6Address(high: 0xfe80_0000_0000_0000, low: 1), port: 9, scopeID: 1),
    IPSocketAddress(IPv6Address(mapped: .loopback), port: 80),
    IPSocketAddress(IPv6Address(high: 0x2001_0db8_0000_0001, low: 0xffff_0000_0000_0002), port: 443),
  ]
  static let unixSamples: [UnixAddress] = [
    "/tmp/x", "/", "relative", "@name", "@with\0zero", "@", "%40path", "x%FF", "%00",
    String(repeating: "p", count: 108),
    "@" + String(repeating: "n", count: 107), "/tmp/ä ö",
  ].compactMap { UnixAddress($0) }

  static let ip = SocketAddressSuite("IP", samples: ipSamples)
  static let unix = SocketAddressSuite("Unix", samples: unixSamples)
  static let any = SocketAddressSuite(
    "any", samples: ipSamples.map { AnySocketAddress($0) } + unixSamples.map { AnySocketAddress($0) })
}

@Suite(.exclusive) struct AddressTests {
  @Test(arguments: Addresses.ip.rules) func ip(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Addresses.unix.rules) func unix(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Addresses.any.rules) func any(_ rule: ConformanceRule) { check(rule) }
}

private enum Endpoints {
  static let ip: [IPEndpoint] =
    Addresses.ipSamples.map { .address($0) } + [.host("localhost", port: 0), .host("a-b.example", port: 65535)]
  static let tcp = EndpointSuite<TCPSocket>("TCP", samples: ip, addresses: Addresses.ipSamples)
  static let udp = EndpointSuite<UDPSocket>("UDP", samples: ip, addresses: Addresses.ipSamples)
  static let sctp = EndpointSuite<SCTPSocket>(
    "SCTP",
    samples: Addresses.ipSamples.map { SCTPSocket.endpointFormat.endpoint($0) } + [.host("localhost", port: 0)]
      + [SCTPAddressList([.loopback(port: 80), .loopbackIPv6(port: 80)])].compactMap { $0.map { .addresses($0) } },
    addresses: Addresses.ipSamples)
  static let unix = EndpointSuite<UnixStreamSocket>(
    "Unix", samples: Addresses.unixSamples, addresses: Addresses.unixSamples)
  static let unixPackets = EndpointSuite<UnixSequencedPacketSocket>(
    "Unix packets", samples: Addresses.unixSamples, addresses: Addresses.unixSamples)
  static let unixDatagrams = EndpointSuite<UnixDatagramSocket>(
    "Unix datagrams", samples: Addresses.unixSamples, addresses: Addresses.unixSamples)
}

@Suite(.exclusive) struct EndpointTests {
  @Test(arguments: Endpoints.tcp.rules) func tcp(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Endpoints.udp.rules) func udp(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Endpoints.sctp.rules) func sctp(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Endpoints.unix.rules) func unix(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Endpoints.unixPackets.rules) func unixPackets(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Endpoints.unixDatagrams.rules) func unixDatagrams(_ rule: ConformanceRule) { check(rule) }
}
