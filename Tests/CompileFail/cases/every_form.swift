// compiles
import SocketKit

enum MySocketOptions: IPOptions {}
private let protocolNumber: Int32 = 200
private let option: Int32 = 10
extension SocketOption where Group == MySocketOptions, Value == Bool {
  static var checksum: Self { Self(flag: option, level: protocolNumber) }
}
struct Plain: WaitLimit { let deadline: Deadline }

func f(_ socket: borrowing TCPSocket, _ other: borrowing UDPSocket, _ control: WaitControl) throws {
  var buffer = [UInt8](repeating: 0, count: 16)
  _ = try socket.read(into: buffer.mutableSpan)
  _ = try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)))
  _ = try socket.read(into: buffer.mutableSpan, until: .never.cancellable(by: control))
  _ = try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)).spinning(40, thenYielding: 4))
  _ = try socket.read(into: buffer.mutableSpan, until: Plain(deadline: .past).spinning().cancellable(by: nil))
  try socket.setOption(.noDelay, to: true)
  try socket.setOption(.keepAlive, to: true)
  try socket.setOption(.timeToLive, to: 3)
  try other.setOption(.cork, to: false)
  let window = try socket.option(.tcpInfo).sendWindow
  let bytes = try socket.option(SocketOption(bytes: option, level: protocolNumber, capacity: 4))
  try socket.setOption(SocketOption(bytes: option, level: protocolNumber), to: bytes)
  try other.setOption(.filter, to: [.load(.byte, at: 8), .jump(if: .equal(42), then: 0, else: 1), .accept, .drop])
  try other.setOption(.filter, to: nil)
  try other.join(MulticastGroup(.v4(IPv4Address(239, 1, 2, 3)), interface: .index(window)))
  let any: any WaitLimit = Deadline.now
  _ = try socket.write([1].span, until: any)
}

func sctp(_ socket: borrowing SCTPOneToManySocket, _ peer: IPSocketAddress, _ id: SCTPAssociationID) throws {
  _ = try socket.option(.status, of: id).state
  _ = try socket.option(.path(to: peer).parameters, of: id).heartbeat
  try socket.setOption(.paths.mtuProbeInterval, to: nil)
  try socket.setOption(.event(.associationChange), of: .all, to: true)
  try socket.perform(.addStreams(outgoing: 2), of: id)
  _ = try socket.option(.noDelay)
}

func g<S: StreamSocket & ~Copyable, P: Poller & ~Copyable>(_ socket: borrowing S, _ type: P.Type) throws {
  var poller = try P()
  try poller.register(socket, for: [.readable, .writable], token: Token(index: 1))
  try poller.modify(socket, for: .readable, trigger: .oneShot, token: Token(index: 1))
  _ = try poller.wait()
  _ = try poller.wait(until: .past)
}

func h() throws {
  _ = try EpollPoller()
  _ = try PollPoller()
  _ = try BusySpinPoller()
  let generic = try GenericMessageSocket<AnySocketAddress, MySocketOptions>.open(SocketKind(.ipv4, .datagram))
  try generic.setOption(.checksum, to: true)
  let adopted = try TCPSocket(adopting: unsafe Descriptor(unsafeOwning: RawDescriptor(3)))
  try adopted.close()
}
