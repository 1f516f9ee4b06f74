internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// The load on every datagram server, ours or C: bursts of datagrams, each handed to the kernel as one message, and a
/// bounded number of datagrams on their way, so that nothing is lost for want of room. What comes back is received many
/// at a time, coalesced where the server sends it so, and compared. Every datagram has a number, and comes back once.
struct DatagramLoad: ~Copyable {
  struct Outcome: Sendable {
    var received = 0
    var nanoseconds: Int64 = 0
  }
  private let socket: UDPSocket
  private var poller: EpollPoller
  private var bursts: MessageBatch
  private var arrived: MessageBatch
  private let size: Int
  /// Datagrams in a burst.
  let burst: Int
  /// Datagrams that may be on their way.
  var window: Int { bursts.capacity * burst }
  private let ledger: DatagramLedger
  private var bytes: [UInt8]
  private let limit: TimeLimit

  /// - Parameter coalesced: whether the server sends many datagrams as one message.
  init(to text: String, size: Int, coalesced: Bool, limit: TimeLimit) throws {
    guard let address = IPSocketAddress(text) else { throw ToolError("no address: \(text)") }
    let socket = try UDPSocket.connect(to: address) { (socket) throws(SocketError) in
      try socket.setOption(.receiveBuffer, to: DatagramPlan.receiveBuffer)
    }
    try UDPOffload.coalesce(socket.descriptor)
    var poller = try EpollPoller(EpollPoller.configuration(capacity: 1))
    try poller.register(socket, for: .readable, token: Token(index: 0))
    limit.watch(poller.waker)
    let burst = try Self.burst(size)
    // What a small datagram takes of a socket's buffer is mostly the kernel's own; measured, rounded up.
    let room = try socket.option(.receiveBuffer) / (burst * (size + 1536))
    bursts = MessageBatch(capacity: max(1, min(4, room)), messageCapacity: burst * size, controlCapacity: 24)
    arrived = MessageBatch(capacity: coalesced ? 16 : 128, messageCapacity: coalesced ? 65535 : (size + 63) & ~63)
    bytes = [UInt8](repeating: 0, count: burst * size)
    ledger = DatagramLedger(size: size)
    self.socket = socket
    self.poller = poller
    self.limit = limit
    self.burst = burst
    self.size = size
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
    var unsent = datagrams
    while true {
      if csk_monotonic_nanoseconds() &- begin > nanoseconds { unsent = 0 }
      if unsent > 0 {
        unsent -= try send(unsent)
      } else if ledger.count == 0 {
        break
      }
      let received = try receive()
      outcome.received += received
      if received > 0 || ledger.count == 0 { continue }
      // The window is so small that the kernel drops nothing: what has not come by then never comes.
      if try poller.wait(until: .after(.seconds(5))) == 0 {
        throw ToolError("\(ledger.count) datagrams never came back, \(outcome.received) did")
      }
    }
    outcome.nanoseconds = csk_monotonic_nanoseconds() - begin
    return outcome
  }

  /// Sends as many bursts as may be on their way, of so many datagrams at most; how many datagrams went.
  private mutating func send(_ datagrams: Int) throws -> Int {
    bursts.removeAll()
    // A local one: the batch and a span of these bytes cannot both be this value's.
    var bytes: [UInt8] = []
    swap(&bytes, &self.bytes)
    defer { swap(&bytes, &self.bytes) }
    var sent = 0
    while !bursts.isFull {
      let slot = bursts.count
      let count = min(burst, datagrams - sent)
      // Whole bursts, but for the last.
      if count == 0 || ledger.count + count > window { break }
      ledger.issue(count, into: &bytes)
      try bursts.append(bytes.span.extracting(first: count * size))
      if count > 1 { try bursts.setSegmentSize(UInt16(size), at: slot) }
      sent += count
    }
    while bursts.sent < bursts.count {
      if try socket.send(batch: &bursts) != nil { continue }
      if limit.isOver { throw ToolError("the load's socket stays full") }
      sched_yield()
    }
    return sent
  }

  /// How many datagrams came.
  private mutating func receive() throws -> Int {
    guard let count = try socket.receive(batch: &arrived) else { return 0 }
    let before = ledger.count
    for slot in 0..<count {
      let length = arrived.fullLength(at: slot)
      let complaint = arrived.withBytes(at: slot) { bytes in
        bytes.byteCount == length ? ledger.complaint(about: bytes) : "a datagram came back longer"
      }
      if let complaint { throw ToolError(complaint) }
    }
    return before - ledger.count
  }
}
