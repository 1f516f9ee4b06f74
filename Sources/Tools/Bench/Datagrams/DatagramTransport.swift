internal import CSocketKitBaseline
internal import SocketKit
internal import SocketKitToolSupport

/// A datagram transport that the bench can measure.
protocol BenchDatagrams: DatagramSocket, Transport, ~Copyable where Address: LosslessStringConvertible {
  static func benchAddress() throws -> Address
  /// Creates the same socket in C, for the baseline.
  static func baselineSocket() throws -> BaselineListener
}

extension UDPSocket: BenchDatagrams {
  static func benchAddress() -> IPSocketAddress { .loopback(port: 0) }

  static func baselineSocket() throws -> BaselineListener {
    var port: UInt16 = 0
    // The function stores the port during the call.
    let descriptor = try checked(
      unsafe baseline_bind_udp(&port, Int32(DatagramPlan.receiveBuffer)), "binding a UDP socket in C")
    return BaselineListener(descriptor: descriptor, address: IPSocketAddress.loopback(port: port).description)
  }
}

/// The system calls with which a datagram server echoes. The C server supports the same modes.
enum DatagramWay: String, CaseIterable, Sendable {
  /// One wait for each datagram.
  case one
  /// One receive call and one send call for each datagram until the queue is empty, then a wait.
  case plain
  /// Many datagrams per call.
  case batch
  /// Many datagrams per receive call. The server sends them back as one message: UDP_SEGMENT.
  case joined
  /// Many datagrams per call, coalesced into few messages: UDP_GRO and UDP_SEGMENT.
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

  /// The system calls of the C server.
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

/// The buffer sizes of a datagram server. SocketKit's server and the C server use the same sizes.
struct DatagramPlan: Sendable {
  let way: DatagramWay
  /// The size of the largest message in bytes.
  let size: Int
  /// The number of messages per call.
  let batch: Int
  /// Whether the server uses SCHED_BATCH, so that the server does not preempt other processes on its CPU.
  var takesTurns = false
  /// The requested size of the receive buffer in bytes. A burst does not fit into a smaller buffer. The kernel may
  /// provide a smaller buffer to unprivileged processes.
  static var receiveBuffer: Int { 4 << 20 }

  init(_ way: DatagramWay, size: Int) {
    self.way = way
    switch way {
    case .one, .plain: (self.size, batch) = (max(size, 2048), 1)
    // Round up to whole cache lines.
    case .batch, .joined: (self.size, batch) = ((size + 63) & ~63, 128)
    case .offload: (self.size, batch) = (65535, 16)
    }
  }
}
