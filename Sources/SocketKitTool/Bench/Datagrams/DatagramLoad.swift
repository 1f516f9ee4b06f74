internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// The load on every datagram server, ours or C: bursts of datagrams, each handed to the kernel as one message, and a
/// bounded number of datagrams on their way, so that nothing is lost for want of room. What comes back is received many
/// at a time, coalesced where the server sends it so, and compared.
struct DatagramLoad: ~Copyable {
  struct Outcome {
    var sent = 0
    var received = 0
    var nanoseconds: Int64 = 0
    /// Datagrams that never came back.
    var lost: Int { max(0, sent - received) }
  }
  private let socket: UDPSocket
  private var poller: EpollPoller
  private var bursts: MessageBatch
  private var arrived: MessageBatch
  private let size: Int
  /// Datagrams in a burst.
  let burst: Int
  /// Datagrams that may be on their way.
  var window: Int { bursts.count * burst }
  private let expected: [UInt8]

  /// - Parameter coalesced: whether the server sends many datagrams as one message.
  init(to text: String, size: Int, coalesced: Bool) throws {
    guard let address = IPSocketAddress(text) else { throw ToolError("no address: \(text)") }
    let socket = try UDPSocket.connect(to: address) { (socket) throws(SocketError) in
      try socket.setOption(.receiveBuffer, to: DatagramPlan.receiveBuffer)
    }
    try UDPOffload.coalesce(socket.descriptor)
    var poller = try EpollPoller(EpollPoller.configuration(capacity: 1))
    try poller.register(socket, .readable, token: Token(index: 0))
    let burst = try Self.burst(size)
    let expected = (0..<65536).map { UInt8(truncatingIfNeeded: $0 % size) }
    // What a small datagram takes of a socket's buffer is mostly the kernel's own; measured, rounded up.
    let room = try socket.option(.receiveBuffer) / (burst * (size + 1536))
    bursts = try Self.bursts(max(1, min(4, room)), expected.span.extracting(first: burst * size), UInt16(size))
    arrived = MessageBatch(capacity: coalesced ? 16 : 128, messageCapacity: coalesced ? 65535 : (size + 63) & ~63)
    self.socket = socket
    self.poller = poller
    self.expected = expected
    self.burst = burst
    self.size = size
  }

  private static func bursts(
    _ count: Int, _ bytes: Span<UInt8>, _ size: UInt16
  ) throws(SocketError) -> MessageBatch {
    var bursts = MessageBatch(capacity: count, messageCapacity: bytes.count, controlCapacity: 24)
    for slot in 0..<count {
      try bursts.append(bytes)
      try bursts.setSegmentSize(size, at: slot)
    }
    return bursts
  }

  /// As many as the kernel cuts one message into: 128, before Linux 6.9 64; and no more than an IPv4 packet holds.
  private static func burst(_ size: Int) throws -> Int {
    let target = try UDPSocket.bind(to: .loopback(port: 0))
    let sender = try UDPSocket.connect(to: try target.localAddress())
    let bytes = [UInt8](repeating: 0, count: 65507)
    for count in [128, 64] where count * size <= bytes.count {
      var control = ControlBuffer<24>()
      try control.append(level: 17, type: CSK_UDP_SEGMENT, value: UInt16(size))
      let isTaken = try control.withBytes { (control) throws(SocketError) in
        do throws(SocketError) {
          _ = try sender.send(bytes.span.extracting(first: count * size), control: control)
          return true
        } catch {
          if error.code == .invalidArgument || error.code == .messageTooLarge { return false }
          throw error
        }
      }
      if isTaken { return count }
    }
    return max(1, min(64, bytes.count / size))
  }

  /// Sends for so long, or so many datagrams, then waits for what is on its way.
  mutating func run(nanoseconds: Int64, datagrams: Int) throws -> Outcome {
    var outcome = Outcome()
    let begin = csk_monotonic_nanoseconds()
    var onTheirWay = 0
    while true {
      let isOver = outcome.received >= datagrams || csk_monotonic_nanoseconds() &- begin > nanoseconds
      if !isOver {
        let sent = try send((window - onTheirWay) / burst)
        outcome.sent += sent
        onTheirWay += sent
      } else if onTheirWay == 0 {
        break
      }
      let received = try receive()
      outcome.received += received
      onTheirWay = max(0, onTheirWay - received)
      if received > 0 || onTheirWay == 0 { continue }
      // What has not come within this time is lost.
      if try poller.wait(until: .after(.milliseconds(200))) == 0 { onTheirWay = 0 }
    }
    outcome.nanoseconds = csk_monotonic_nanoseconds() - begin
    return outcome
  }

  /// Sends so many bursts at most; how many datagrams went.
  private mutating func send(_ count: Int) throws(SocketError) -> Int {
    if count <= 0 { return 0 }
    bursts.rewind()
    bursts.markSent(bursts.count - count)
    var sent = 0
    while bursts.sent < bursts.count, case .messages(let number) = try socket.send(batch: &bursts) { sent += number }
    return sent * burst
  }

  /// How many datagrams came.
  private mutating func receive() throws -> Int {
    guard case .messages(let count) = try socket.receive(batch: &arrived) else { return 0 }
    var datagrams = 0
    for slot in 0..<count {
      let length = arrived.fullLength(at: slot)
      let isSame = arrived.withBytes(at: slot) { bytes in
        bytes.withUnsafeBytes { bytes in
          bytes.count == length && bytes.baseAddress.map { memcmp($0, expected, length) } == 0
        }
      }
      guard isSame, length % size == 0 else { throw ToolError("datagrams came back changed") }
      datagrams += length / size
    }
    return datagrams
  }
}
