internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// Both ends in one thread: no other process and no wake-up takes part, so what is left is the loop's own cost.
struct SameThreadTask: CompositionTask {
  let kind: ServerKind
  let size: Int
  let messages: Int
  let warmUp: Int

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Run {
    let listener = try S.listen(on: try S.benchAddress(), configure: S.tune)
    let near = try S.connect(to: try listener.localAddress(), until: .after(.seconds(5)), configure: S.tune)
    let far = try listener.accept(until: .after(.seconds(5)))
    var samples = [Int64](repeating: 0, count: messages)
    var counters = bench_counters()
    let before = bench_cpu_time(0)
    // A loop that hangs is ended by the alarm's signal; no other process is about.
    alarm(60)
    defer { alarm(0) }
    switch kind {
    case .swift:
      var bounce = try Bounce<S, P>(near, far, size: size)
      _ = try bounce.run(warmUp) { (_, _) in }
      counters = try bounce.run(messages) { samples[$0] = $1 }
    case .c:
      try checked(
        baseline_bounce(near.descriptor.value, far.descriptor.value, size, warmUp, messages, &samples, &counters),
        "the loop in C")
    }
    let cpu = Double(bench_cpu_time(0) - before) / Double(messages + warmUp)
    var histogram = Histogram()
    for sample in samples { histogram.record(sample) }
    return Run(histogram, elapsed: samples.reduce(0, +), cpuPerMessage: cpu, calls: counters.calls)
  }
}

/// Whichever end becomes readable reads the bytes and sends them back: what the C loop does, call by call.
private struct Bounce<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>: ~Copyable {
  private var poller: P
  private let near: S
  private let far: S
  private var ball: Ball
  private let size: Int
  private static var nearToken: Token { Token(index: 0) }

  init(_ near: consuming S, _ far: consuming S, size: Int) throws(SocketError) {
    var poller = try P(P.configuration(capacity: 2))
    try poller.register(near, .readable, token: Self.nearToken)
    try poller.register(far, .readable, token: Token(index: 1))
    self.poller = poller
    self.near = near
    self.far = far
    ball = Ball()
    self.size = size
  }

  /// - Parameter record: takes a round trip's number and its nanoseconds.
  /// - Returns: the system calls of these rounds.
  @inline(__always)
  mutating func run(_ rounds: Int, record: (Int, Int64) -> Void) throws(SocketError) -> bench_counters {
    ball.counters = bench_counters()
    var bytes = [UInt8](repeating: 0, count: size)
    // Outside the loop: a span costs its array a check for other owners.
    var buffer = bytes.mutableSpan
    let hiddenBefore = poller.callsBeyondWaits
    var done = 0
    var start = csk_monotonic_nanoseconds()
    try ball.send(near, buffer.span)
    while true {
      ball.counters.waits &+= 1
      let count = try poller.wait()
      var index = 0
      while index < count {
        let event = poller[event: index]
        index &+= 1
        if event.token == Self.nearToken {
          guard try ball.receive(near, &buffer) else { continue }
          let end = csk_monotonic_nanoseconds()
          record(done, end &- start)
          start = end
          done &+= 1
          if done == rounds {
            ball.counters.hidden = poller.callsBeyondWaits &- hiddenBefore
            return ball.counters
          }
          try ball.send(near, buffer.span)
        } else if try ball.receive(far, &buffer) {
          try ball.send(far, buffer.span)
        }
      }
    }
  }
}

/// The message that goes to and fro.
private struct Ball {
  private var arrived = 0
  var counters = bench_counters()

  /// Whether the message is complete.
  @inline(__always)
  mutating func receive<S: StreamSocket & ~Copyable>(
    _ socket: borrowing S, _ buffer: inout MutableSpan<UInt8>
  ) throws(SocketError) -> Bool {
    counters.reads &+= 1
    switch try socket.read(into: buffer._mutatingExtracting(droppingFirst: arrived)) {
    case .bytes(let count): arrived &+= count
    case .wouldBlock: return false
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
    if case .bytes(buffer.count) = try socket.write(buffer) { return }
    // Neither loop keeps a rest: the message must fit into the socket's buffer.
    throw SocketError(code: .messageTooLarge, .write)
  }
}
