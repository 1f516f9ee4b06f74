internal import CSocketKitBaseline
internal import SocketKit
internal import SocketKitToolSupport

/// A datagram transport that can be measured.
protocol BenchDatagrams: DatagramSocket, TransportSocket, ~Copyable where Address: LosslessStringConvertible {
  static func benchAddress() throws -> Address
  /// The same socket made by the C baseline.
  static func baselineSocket() throws -> BaselineListener
}

extension UDPSocket: BenchDatagrams {
  static func benchAddress() -> IPSocketAddress { .loopback(port: 0) }

  static func baselineSocket() throws -> BaselineListener {
    var port: UInt16 = 0
    let descriptor = try checked(
      baseline_bind_udp(&port, Int32(DatagramPlan.receiveBuffer)), "binding a UDP socket in C")
    return BaselineListener(descriptor: descriptor, address: IPSocketAddress.loopback(port: port).description)
  }
}

/// How a datagram server echoes: the C server has the same ways.
enum DatagramWay: String, CaseIterable, Sendable {
  /// One datagram for each wait.
  case one
  /// One call for each datagram until there is none left, then a wait.
  case plain
  /// Many datagrams with one call.
  case batch
  /// Many datagrams with one call, and sent back as one: UDP_SEGMENT.
  case joined
  /// Many datagrams that are coalesced into few, with one call: UDP_GRO and UDP_SEGMENT.
  case offload

  var baseline: baseline_datagrams {
    switch self {
    case .one: BASELINE_ONE
    case .plain: BASELINE_PLAIN
    case .batch: BASELINE_BATCH
    case .joined: BASELINE_JOINED
    case .offload: BASELINE_OFFLOAD
    }
  }

  /// What the C server calls.
  var calls: String {
    switch self {
    case .one: "wait, recvfrom/sendto"
    case .plain: "recvfrom/sendto"
    case .batch: "recvmmsg/sendmmsg"
    case .joined: "recvmmsg/sendmsg, GSO"
    case .offload: "recvmmsg/sendmmsg, GSO+GRO"
    }
  }
}

/// What a datagram server has room for; the same for ours and C.
struct DatagramPlan: Sendable {
  let way: DatagramWay
  /// Bytes of the largest message.
  let size: Int
  /// Messages with one call.
  let batch: Int
  /// Whether it lets others on its cpu work until they have nothing to do.
  var takesTurns = false
  /// Bytes that are asked for: with less, a burst does not find room. The kernel may give less to who has no rights.
  static var receiveBuffer: Int { 4 << 20 }

  init(_ way: DatagramWay, size: Int) {
    self.way = way
    switch way {
    case .one, .plain: (self.size, batch) = (max(size, 2048), 1)
    // Whole cache lines.
    case .batch, .joined: (self.size, batch) = ((size + 63) & ~63, 128)
    case .offload: (self.size, batch) = (65535, 16)
    }
  }
}
