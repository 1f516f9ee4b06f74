import SocketKit
import SocketKitConformance
import TestSupport

enum Datagrams {
  static let udp4 = DatagramSuite("UDP over IPv4", .timestamps) { try unconnected(.loopback(port: 0)) }
  static let udp6 = DatagramSuite("UDP over IPv6", .timestamps) { try unconnected(.loopbackIPv6(port: 0)) }
  static let udpConnected = DatagramSuite("UDP, connected", [.connected, .refusals, .delayedErrors, .timestamps]) {
    let pair = try unconnected(.loopback(port: 0))
    try pair.first.connect(to: pair.second.localAddress())
    try pair.second.connect(to: pair.first.localAddress())
    return pair
  }
  /// With the batches that every wrapper inherits, not the kernel's.
  static let wrapped = DatagramSuite("UDP, wrapped", .timestamps) {
    let pair = try unconnected(.loopback(port: 0))
    return pair.split { SocketPair(WrappedDatagramSocket($0), WrappedDatagramSocket($1)) }
  }
  private static let unixTraits: MessageTraits = [.lossless, .refusals, .descriptors, .timestamps]
  static let unixPair = DatagramSuite("Unix datagram pair", unixTraits.union(.connected)) {
    try UnixDatagramSocket.pair()
  }
  static let unixPath = DatagramSuite("Unix datagram path", unixTraits) {
    try bound(freshPath(), freshPath())
  }
  static let unixAbstract = DatagramSuite("Unix datagram name, connected", unixTraits.union(.connected)) {
    let pair = try bound(freshAbstractName(), freshAbstractName())
    try pair.first.connect(to: pair.second.localAddress())
    try pair.second.connect(to: pair.first.localAddress())
    return pair
  }

  private static func unconnected(_ address: IPSocketAddress) throws -> SocketPair<UDPSocket> {
    SocketPair(try UDPSocket.bind(to: address), try UDPSocket.bind(to: address))
  }

  private static func bound(_ first: UnixAddress, _ second: UnixAddress) throws -> SocketPair<UnixDatagramSocket> {
    SocketPair(try UnixDatagramSocket.bind(to: first), try UnixDatagramSocket.bind(to: second))
  }
}

enum Packets {
  private static let traits: MessageTraits = [.lossless, .descriptors, .timestamps]
  static let unixPair = SequencedPacketSuite("Unix packet pair", traits) { try UnixSequencedPacketSocket.pair() }
  static let unixPath = SequencedPacketSuite("Unix packet path", traits) {
    try pair(UnixSequencedPacketSocket.self, on: freshPath())
  }
  static let unixAbstract = SequencedPacketSuite("Unix packet name", traits) {
    try pair(UnixSequencedPacketSocket.self, on: freshAbstractName())
  }
  static let pathListener = ListenerSuite("Unix packet path") {
    try UnixSequencedPacketSocket.listen(on: freshPath())
  } connect: {
    try UnixSequencedPacketSocket.connect(to: $0, until: .after(.seconds(5)))
  }
}

/// A wrapper as a third party writes one: not the kernel's socket, so that Core's own batches serve it.
struct WrappedDatagramSocket: ~Copyable, DatagramSocket {
  private let base: UDPSocket

  init(_ base: consuming UDPSocket) { self.base = base }
  static var capabilities: SocketCapabilities { UDPSocket.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult { base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info) }
  borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult { base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags) }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> IPSocketAddress { try base.localAddress() }
  borrowing func connectedAddress() throws(SocketError) -> IPSocketAddress? { try base.connectedAddress() }
}
