internal import CSocketKit
internal import CSocketKitBaseline
internal import SocketKit
internal import SocketKitToolSupport

/// Runs both ends on one thread. No other process and no wake-up is involved, so the run measures only the cost of the
/// loop.
struct SameThreadTask: CompositionTask {
  let kind: ServerKind
  let size: Int
  let messages: Int
  let warmUp: Int
  let setting: RunSetting

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Run {
    let listener = try S.listen(on: try S.benchAddress(), configure: S.tune)
    let address = try listener.localAddress()
    var target = address
    if let relay = setting.relay {
      guard let other = S.address(try relay("\(address)")) else {
        throw ToolError("the relay did not return an address")
      }
      target = other
    }
    let near = try S.connect(to: target, until: .after(.seconds(5)), configure: S.tune)
    let far = try listener.accept(until: .after(.seconds(5)))
    setting.limit.watch(descriptors: [near.descriptor.value, far.descriptor.value])
    // Remove the descriptors from the limit before they are closed and their numbers are reused.
    defer { setting.limit.forgetDescriptors() }
    var samples = [Int64](repeating: 0, count: messages)
    var counters = bench_counters()
    let before = bench_cpu_time(0)
    switch kind {
    case .swift:
      var bounce = try Bounce<S, P>(near, far, size: size)
      _ = try bounce.run(near, far, warmUp) { (_, _) in }
      counters = try bounce.run(near, far, messages) { samples[$0] = $1 }
    case .c:
      // The array has space for the times of `messages` round trips.
      try checked(
        unsafe baseline_bounce(
          near.descriptor.value, far.descriptor.value, size, warmUp, messages, &samples, &counters),
        "the loop in C")
    }
    let cpu = (bench_cpu_time(0) - before) * Int64(messages) / Int64(messages + warmUp)
    try expectEnd(near, far)
    if S.endsInHalves { try expectEnd(far, near) }
    var histogram = Histogram()
    for sample in samples { histogram.record(sample) }
    return Run(histogram, elapsed: samples.reduce(0, +), use: ServerUse(counters, cpu: cpu))
  }

  /// Shuts down one socket for writing, and checks that the other socket receives no further data, such as a duplicate
  /// message.
  private func expectEnd<S: BenchTransport & ~Copyable>(_ ended: borrowing S, _ other: borrowing S) throws {
    try ended.shutdown(.write)
    var buffer = [UInt8](repeating: 0, count: size)
    let outcome = try other.read(into: buffer.mutableSpan, until: .never)
    guard case .bytes(let count) = outcome else { return }
    throw ToolError("\(count) more bytes arrived than were sent")
  }
}

/// The loop: the near end sends numbered messages, the far end sends back the bytes that it reads, and the near end
/// compares them. The loop makes the same system calls as the C loop.
private struct Bounce<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>: ~Copyable {
  private var poller: P
  private var message: [UInt8]
  private var number: UInt64 = 0
  private static var nearToken: Token { Token(index: 0) }

  init(_ near: borrowing S, _ far: borrowing S, size: Int) throws(SocketError) {
    var poller = try P(P.configuration(capacity: 2))
    try poller.register(near, for: .readable, token: Self.nearToken)
    try poller.register(far, for: .readable, token: Token(index: 1))
    self.poller = poller
    message = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// - Parameter record: receives the number of a round trip and its time in nanoseconds.
  /// - Returns: the number of system calls in these rounds.
  @inline(__always)
  mutating func run(
    _ near: borrowing S, _ far: borrowing S, _ rounds: Int, record: (Int, Int64) -> Void
  ) throws -> bench_counters {
    var ball = Ball()
    // Each end has its own contiguous buffer, as in C.
    var nearBytes = [UInt8](repeating: 0, count: message.count)
    var farBytes = nearBytes
    // Create the span outside the loop, because each use of `mutableSpan` checks that the array is uniquely referenced.
    var nearBuffer = nearBytes.mutableSpan
    var farBuffer = farBytes.mutableSpan
    var nearArrived = 0
    var farArrived = 0
    let hiddenBefore = poller.callsBeyondWaits
    var done = 0
    stamp()
    var start = csk_monotonic_nanoseconds()
    try ball.send(near, message.span)
    while true {
      ball.counters.waits &+= 1
      let count = try poller.wait()
      ball.counters.returns &+= 1
      ball.counters.events &+= UInt64(truncatingIfNeeded: count)
      var index = 0
      while index < count {
        let event = poller[event: index]
        index &+= 1
        if event.token == Self.nearToken {
          guard try ball.receive(near, &nearBuffer, &nearArrived) else { continue }
          guard nearBuffer.span.isEqual(to: message.span) else {
            throw ToolError("the reply to message \(number) differs from the message that was sent")
          }
          let end = csk_monotonic_nanoseconds()
          record(done, end &- start)
          start = end
          done &+= 1
          if done == rounds {
            ball.counters.hidden = poller.callsBeyondWaits &- hiddenBefore
            return ball.counters
          }
          stamp()
          try ball.send(near, message.span)
        } else if try ball.receive(far, &farBuffer, &farArrived) {
          try ball.send(far, farBuffer.span)
        }
      }
    }
  }

  /// Writes the next number into the message, so that an old reply is detected.
  @inline(__always)
  private mutating func stamp() {
    number &+= 1
    for index in 0..<min(8, message.count) { message[index] = UInt8(truncatingIfNeeded: number >> (8 &* index)) }
  }
}

/// Makes and counts the calls on the sockets.
private struct Ball {
  var counters = bench_counters()

  /// Reads part of the message; returns whether it is complete.
  @inline(__always)
  mutating func receive<S: StreamSocket & ~Copyable>(
    _ socket: borrowing S, _ buffer: inout MutableSpan<UInt8>, _ arrived: inout Int
  ) throws(SocketError) -> Bool {
    counters.reads &+= 1
    switch try socket.read(into: buffer._mutatingExtracting(droppingFirst: arrived)) {
    case .bytes(let count): arrived &+= count
    case nil: return false
    case .endOfStream: throw SocketError(code: .unexpectedEnd, .read)
    }
    if arrived < buffer.count { return false }
    arrived = 0
    return true
  }

  @inline(__always)
  mutating func send<S: StreamSocket & ~Copyable>(
    _ socket: borrowing S, _ buffer: Span<UInt8>
  ) throws(SocketError) {
    counters.writes &+= 1
    if try socket.write(buffer) == buffer.count { return }
    // Neither loop handles partial writes: the message must fit into the socket's buffer.
    throw SocketError(code: .messageTooLarge, .write)
  }
}
