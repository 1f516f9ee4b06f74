internal import Glibc
public import SocketKitCore

// Unix sockets with boundaries, made with Core's public API, until SocketKitUnix has its own: `UnixSequencedPacketSocket`
// and `UnixDatagramSocket` take their places under the same names.

public struct TestSequencedPacketSocket: ~Copyable, SequencedPacketSocket, ConnectionTransport {
  public typealias Address = UnixAddress
  private let owned: Descriptor

  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { owned = descriptor }
  public var descriptor: RawDescriptor { owned.raw }
  public consuming func releaseDescriptor() -> Descriptor { owned }
  public static var capabilities: SocketCapabilities { .halfClose }
  public static func kind(for address: UnixAddress) -> SocketKind { SocketKind(.unix, .sequencedPacket) }
  public static func accepts(_ kind: SocketKind) -> Bool { kind.family == .unix && kind.type == .sequencedPacket }
  public static func cleanup(for address: UnixAddress) -> (@Sendable () -> Void)? {
    guard let path = address.path else { return nil }
    return { unlink(path) }
  }

  public static func pair() throws(SocketError) -> SocketPair<TestSequencedPacketSocket> {
    let numbers = try unixPair(SocketType.sequencedPacket.rawValue)
    return SocketPair(
      TestSequencedPacketSocket(accepted: unsafe Descriptor(unsafeOwning: numbers.0), context: ()),
      TestSequencedPacketSocket(accepted: unsafe Descriptor(unsafeOwning: numbers.1), context: ()))
  }
}

public struct TestUnixDatagramSocket: ~Copyable, DatagramSocket, TransportSocket {
  public typealias Address = UnixAddress
  private let owned: Descriptor

  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { owned = descriptor }
  public var descriptor: RawDescriptor { owned.raw }
  public consuming func releaseDescriptor() -> Descriptor { owned }
  public static var capabilities: SocketCapabilities { .emptyMessages }
  public static func kind(for address: UnixAddress) -> SocketKind { SocketKind(.unix, .datagram) }
  public static func accepts(_ kind: SocketKind) -> Bool { kind.family == .unix && kind.type == .datagram }

  public static func pair() throws(SocketError) -> SocketPair<TestUnixDatagramSocket> {
    let numbers = try unixPair(SocketType.datagram.rawValue)
    return SocketPair(
      TestUnixDatagramSocket(accepted: unsafe Descriptor(unsafeOwning: numbers.0), context: ()),
      TestUnixDatagramSocket(accepted: unsafe Descriptor(unsafeOwning: numbers.1), context: ()))
  }
}

private func unixPair(_ type: Int32) throws(SocketError) -> (RawDescriptor, RawDescriptor) {
  var numbers: [Int32] = [-1, -1]
  let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
  if socketpair(AF_UNIX, type | flags, 0, &numbers) != 0 {
    throw SocketError(code: SocketError.Code(errno: errno), .pair, errno: errno)
  }
  return (RawDescriptor(numbers[0]), RawDescriptor(numbers[1]))
}
