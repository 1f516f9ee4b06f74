import Glibc
import SocketKit
import TestSupport
import Testing

/// The ways in which two UDP sockets can meet.
enum UDPWay: CaseIterable, Sendable {
  case v4, v6, dualStackFromV4, dualStackFromV6

  /// Where the server binds.
  var any: IPSocketAddress {
    switch self {
    case .v4: .loopback(port: 0)
    case .v6: .loopbackIPv6(port: 0)
    default: .any(port: 0)
    }
  }
  /// Where the client sends to.
  func target(_ port: UInt16) -> IPSocketAddress {
    self == .v4 || self == .dualStackFromV4 ? .loopback(port: port) : .loopbackIPv6(port: port)
  }
  var isIPv4: Bool { self == .v4 || self == .dualStackFromV4 }
}

let soon = Duration.seconds(5)

extension UDPSocket {
  /// The next datagram, waited for.
  borrowing func next(room: Int = 2048) throws -> (bytes: [UInt8], info: MessageInfo) {
    var bytes = [UInt8](repeating: 0, count: room)
    var info = MessageInfo()
    let count = try receive(into: bytes.mutableSpan, &info, until: .after(soon))
    return (Array(bytes.prefix(count)), info)
  }

  /// The next datagram with its metadata, waited for.
  borrowing func nextWithMetadata(room: Int = 65535) throws -> (bytes: [UInt8], info: MessageInfo, PacketMetadata) {
    var bytes = [UInt8](repeating: 0, count: room)
    var info = MessageInfo()
    var ancillary = AncillaryBuffer<320>()
    let count = try receive(into: bytes.mutableSpan, ancillary: &ancillary, &info, until: .after(soon))
    return (Array(bytes.prefix(count)), info, ancillary.metadata)
  }

  /// Sends one datagram with settings in addition to the socket's options.
  borrowing func send(
    _ bytes: Span<UInt8>, to address: IPSocketAddress, metadata: OutgoingMetadata
  ) throws(SocketError) -> Int? {
    var ancillary = AncillaryBuffer<160>()
    try metadata.encode(into: &ancillary, for: address)
    return try send(bytes, ancillary: ancillary.bytes, to: address)
  }

  borrowing func port() throws -> UInt16 { try localAddress().port }
}

/// Whether nothing is there to receive, and nothing comes soon.
func isQuiet(_ socket: borrowing UDPSocket) throws -> Bool {
  sleep(milliseconds: 20)
  var info = MessageInfo()
  return try socket.receive(into: MutableSpan(), &info, flags: .peek) == nil
}

/// Numbers that tell one place of a message from another.
func pattern(_ count: Int, from start: Int = 0) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 + start) } }

/// Sockets made in a network namespace of their own, where loopback is up, carries multicast and has the MTU; they stay
/// in it. nil when this process may not make one.
func socketsInNamespace(
  mtu: Int32 = 65536, _ make: @escaping @Sendable () throws -> [RawDescriptor]
) throws -> [RawDescriptor]? {
  let made: Result<[RawDescriptor], any Error>? = inNewNetworkNamespace {
    Result {
      bringLoopbackUp(mtu: mtu)
      return try make()
    }
  }
  #expect(made != nil || !mustBeAvailable, "unavailable: no permission for a network namespace")
  return try made?.get()
}

func adopt(_ raw: RawDescriptor) -> UDPSocket {
  UDPSocket(owning: unsafe Descriptor(unsafeOwning: raw))
}

extension UDPSocket {
  consuming func released() -> RawDescriptor { releaseDescriptor().release() }
}

/// netdevice(7): SIOCSIFMTU, SIOCSIFFLAGS with IFF_UP and IFF_MULTICAST; and a route to IPv6's groups (SIOCADDRT),
/// which loopback has none of, and which must be a local one (RTF_UP, RTF_LOCAL): others over loopback are made to
/// refuse.
private func bringLoopbackUp(mtu: Int32) {
  let control = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
  defer { close(control) }
  var request = [UInt8](repeating: 0, count: 40)
  request.replaceSubrange(0..<2, with: Array("lo".utf8))
  request.put(mtu, at: 16)
  _ = CLibrary.ioctl(control, SIOCSIFMTU, &request)
  request.put(Int32(0x1 | 0x1000), at: 16)
  _ = CLibrary.ioctl(control, SIOCSIFFLAGS, &request)
  // struct in6_rtmsg: destination, source, gateway, type, lengths, metric, info, flags, interface.
  var route = [UInt8](repeating: 0, count: 80)
  route[0] = 0xff
  route[52] = 8
  route.put(UInt32(256), at: 56)
  route.put(UInt32(0x8000_0001), at: 72)
  route.put(Int32(1), at: 76)
  _ = CLibrary.ioctl(control, SIOCADDRT, &route)
}
