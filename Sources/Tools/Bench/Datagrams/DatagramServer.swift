internal import CSocketKit
internal import CSocketKitBaseline
internal import SocketKit

/// The measured datagram server. It makes the same system calls as the C server. If the kernel does not accept a reply,
/// both servers discard the reply.
struct DatagramServer<S: DatagramSocket & ~Copyable, P: BenchPoller & ~Copyable>: ~Copyable {
  private let socket: S
  private var poller: P
  private let counters: SharedCounters

  init(_ socket: consuming S, counters: SharedCounters) throws(SocketError) {
    var poller = try P(P.configuration(capacity: 1))
    try poller.register(socket, for: .readable, token: Token(index: 0))
    self.socket = socket
    self.poller = poller
    self.counters = counters
  }

  private mutating func wait() throws(SocketError) -> Bool {
    counters.values.waits &+= 1
    let count = try poller.wait()
    counters.values.returns &+= 1
    counters.values.events &+= UInt64(truncatingIfNeeded: count)
    counters.values.hidden = poller.callsBeyondWaits
    return count > 0
  }

  /// Runs until the socket fails.
  mutating func run(_ plan: DatagramPlan) throws(SocketError) -> Never {
    switch plan.way {
    case .one, .plain: try runOneByOne(plan)
    case .batch, .joined, .offload: try runBatches(plan)
    }
  }

  private mutating func runOneByOne(_ plan: DatagramPlan) throws(SocketError) -> Never {
    var bytes = [UInt8](repeating: 0, count: plan.size)
    var buffer = bytes.mutableSpan
    let drains = plan.way == .plain
    while true {
      guard try wait() else { continue }
      repeat {} while try echo(&buffer) && drains
    }
  }

  /// Echoes one datagram; returns false if there was none.
  @inline(__always)
  private borrowing func echo(_ buffer: inout MutableSpan<UInt8>) throws(SocketError) -> Bool {
    var sender: S.Address?
    counters.values.reads &+= 1
    guard let count = try socket.receive(into: buffer._mutatingExtracting(...), from: &sender), let sender
    else { return false }
    counters.values.writes &+= 1
    _ = try socket.send(buffer.span.extracting(first: count), to: sender)
    return true
  }

  private mutating func runBatches(_ plan: DatagramPlan) throws(SocketError) -> Never {
    let offload = plan.way == .offload
    if offload { try UDPOffload.coalesce(socket.readSource) }
    var batch = MessageBatch(capacity: plan.batch, messageCapacity: plan.size, ancillaryCapacity: offload ? 64 : 0)
    // Every kernel with UDP_SEGMENT supports 64 segments. The C server uses the same value.
    if plan.way == .joined { batch.mostJoined = 64 }
    while true {
      guard try wait() else { continue }
      // If a batch is not full, the queue is empty.
      repeat {} while try echo(&batch, offload)
    }
  }

  /// Echoes one batch; returns whether more datagrams may be queued.
  @inline(__always)
  private borrowing func echo(_ batch: inout MessageBatch, _ offload: Bool) throws(SocketError) -> Bool {
    counters.values.reads &+= 1
    guard let count = try batch.receive(from: socket) else { return false }
    if offload { try UDPOffload.turnRound(&batch) }
    while batch.sent < count {
      let before = batch.sent
      let result = try batch.send(on: socket)
      // If datagrams are joined, one system call sends as many datagrams of equal size as one UDP message can contain.
      // Otherwise, one call sends the whole batch.
      let together = batch.mostJoined < 2 ? count : min(batch.mostJoined, 65507 / max(1, batch[before].byteCount))
      counters.values.writes &+= UInt64(max(1, (batch.sent - before + together - 1) / together))
      if result == nil { break }
    }
    return batch.isFull
  }
}

/// Sends and receives several datagrams as one message.
enum UDPOffload {
  /// Sets an option of a socket. The socket then receives consecutive datagrams as one message if they have the same
  /// sender and the same size.
  static func coalesce(_ descriptor: RawDescriptor) throws(SocketError) {
    try SocketOption<SocketLevelOptions, Bool>(flag: CSK_UDP_GRO, level: CSK_IPPROTO_UDP).write(descriptor, true)
  }

  /// Sets the segment size of each message to the segment size with which the message was received.
  @inline(__always)
  static func turnRound(_ batch: inout MessageBatch) throws(SocketError) {
    var slot = 0
    while slot < batch.count {
      let size = batch[slot].segmentSize
      if let size { try batch.setSegmentSize(UInt16(truncatingIfNeeded: size), at: slot) }
      slot &+= 1
    }
  }
}
