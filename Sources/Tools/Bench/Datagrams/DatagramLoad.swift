internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// The load for the datagram servers of both kinds, in Swift and in C. The load sends bursts of datagrams and passes
/// each burst to the kernel as one message. It limits the number of datagrams in flight, so that none is lost because a
/// buffer is full. It receives the replies in batches and compares each reply with what was sent. A received message
/// contains several coalesced datagrams if the server sends several datagrams as one message. Every datagram has a
/// number and must be returned exactly once.
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
  /// The number of datagrams in a burst.
  let burst: Int
  /// The maximum number of datagrams in flight.
  var window: Int { bursts.capacity * burst }
  private let ledger: DatagramLedger
  private var bytes: [UInt8]
  private let limit: TimeLimit

  /// - Parameter coalesced: whether the server sends several datagrams as one message.
  init(to text: String, size: Int, coalesced: Bool, limit: TimeLimit) throws {
    guard let address = IPSocketAddress(text) else { throw ToolError("\"\(text)\" is not an address") }
    let socket = try UDPSocket.connect(to: address) { (socket) throws(SocketError) in
      try socket.setOption(.receiveBuffer, to: DatagramPlan.receiveBuffer)
    }
    try UDPOffload.coalesce(socket.descriptor)
    var poller = try EpollPoller(EpollPoller.configuration(capacity: 1))
    try poller.register(socket, for: .readable, token: Token(index: 0))
    limit.watch(poller.waker)
    let burst = try Self.burst(size)
    // Most of the buffer space of a small datagram is kernel overhead. 1536 is the measured overhead in bytes, rounded
    // up.
    let room = try socket.option(.receiveBuffer) / (burst * (size + 1536))
    bursts = MessageBatch(capacity: max(1, min(4, room)), messageCapacity: burst * size, ancillaryCapacity: 24)
    arrived = MessageBatch(capacity: coalesced ? 16 : 128, messageCapacity: coalesced ? 65535 : (size + 63) & ~63)
    bytes = [UInt8](repeating: 0, count: burst * size)
    ledger = DatagramLedger(size: size)
    self.socket = socket
    self.poller = poller
    self.limit = limit
    self.burst = burst
    self.size = size
  }

  /// Returns the maximum number of segments into which the kernel splits one message: 128, or 64 before Linux 6.9. The
  /// number is smaller if a message with so many segments would not fit in an IPv4 packet.
  private static func burst(_ size: Int) throws -> Int {
    let target = try UDPSocket.bind(to: .loopback(port: 0))
    let sender = try UDPSocket.connect(to: try target.localAddress())
    let bytes = [UInt8](repeating: 0, count: 65507)
    for count in [128, 64] where count * size <= bytes.count {
      var ancillary = AncillaryBuffer<24>()
      try ancillary.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: UInt16(size))
      do throws(SocketError) {
        _ = try sender.send(bytes.span.extracting(first: count * size), ancillary: ancillary.bytes)
        return count
      } catch {
        if error.code != .invalidArgument && error.code != .messageTooLarge { throw error }
      }
    }
    return max(1, min(64, bytes.count / size))
  }

  /// Sends until the given time has passed or the given number of datagrams has been sent, whichever is first. Then
  /// waits for the datagrams in flight.
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
      // The window is small enough that the kernel drops no datagram. Datagrams that are missing after this wait are
      // lost.
      if try poller.wait(until: .after(.seconds(5))) == 0 {
        throw ToolError("\(ledger.count) datagrams were not returned, \(outcome.received) were")
      }
    }
    outcome.nanoseconds = csk_monotonic_nanoseconds() - begin
    return outcome
  }

  /// Sends bursts until the window is full or the given number of datagrams has been sent. Returns the number of
  /// datagrams that were sent.
  private mutating func send(_ datagrams: Int) throws -> Int {
    bursts.removeAll()
    // Move the bytes to a local variable: the batch and a span of the bytes cannot both be borrowed from `self`.
    var bytes: [UInt8] = []
    swap(&bytes, &self.bytes)
    defer { swap(&bytes, &self.bytes) }
    var sent = 0
    while !bursts.isFull {
      let slot = bursts.count
      let count = min(burst, datagrams - sent)
      // Only the last burst can contain fewer datagrams than `burst`.
      if count == 0 || ledger.count + count > window { break }
      ledger.issue(count, into: &bytes)
      try bursts.append(bytes.span.extracting(first: count * size))
      if count > 1 { try bursts.setSegmentSize(UInt16(size), at: slot) }
      sent += count
    }
    while bursts.sent < bursts.count {
      if try bursts.send(on: socket) != nil { continue }
      if limit.isOver { throw ToolError("the send buffer of the load's socket remains full") }
      sched_yield()
    }
    return sent
  }

  /// Receives replies and returns the number of datagrams.
  private mutating func receive() throws -> Int {
    guard let count = try arrived.receive(from: socket) else { return 0 }
    let before = ledger.count
    for slot in 0..<count {
      let message = arrived[slot]
      if message.byteCount != message.fullLength { throw ToolError("a returned datagram is too long") }
      if let complaint = ledger.complaint(about: message.bytes) { throw ToolError(complaint) }
    }
    return before - ledger.count
  }
}
