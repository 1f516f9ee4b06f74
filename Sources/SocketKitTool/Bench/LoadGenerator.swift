internal import CSocketKit
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// The clients: one thread, a closed loop, one message in flight on each connection. The same code drives our server
/// and the C one. Every byte that comes back is compared with what was sent.
struct LoadGenerator<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>: ~Copyable {
  private var poller: P
  private var sockets: Slab<S>
  private var progress: [ClientProgress]
  private let size: Int
  // Connection n sends the bytes that begin at n modulo 256, so that mixed-up connections show.
  private let pattern: [UInt8]

  /// Connects them all, one after the other.
  init(to text: String, connections: Int, size: Int) throws {
    guard let address = S.address(text) else { throw ToolError("the server's address \"\(text)\" cannot be read") }
    var poller = try P(P.configuration(capacity: connections))
    var sockets = Slab<S>(capacity: connections)
    var progress: [ClientProgress] = []
    progress.reserveCapacity(connections)
    for _ in 0..<connections {
      let socket = try S.connect(to: address, until: .after(.seconds(10)), configure: S.tune)
      let source = socket.readSource
      // Nothing is ever removed, so the tokens' indexes count from 0.
      let token = sockets.insert(socket)
      try poller.register(source: source, .readable, token: token)
      progress.append(ClientProgress(token: token))
    }
    self.poller = poller
    self.sockets = sockets
    self.progress = progress
    self.size = size
    pattern = (0..<size + 256).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// Sends so many messages over all the connections and waits for all the replies.
  /// - Returns: how long that took, in nanoseconds.
  mutating func run(_ messages: Int, into histogram: inout Histogram) throws(ToolError) -> Int64 {
    var buffer = [UInt8](repeating: 0, count: size)
    let begin = csk_monotonic_nanoseconds()
    var unsent = messages
    var pending = 0
    while pending < progress.count && unsent > 0 {
      try send(pending, at: csk_monotonic_nanoseconds())
      pending += 1
      unsent -= 1
    }
    while pending > 0 {
      let count = try wait()
      var index = 0
      while index < count {
        let event = poller[event: index]
        let place = Int(event.token.index)
        index &+= 1
        if event.isWritable && progress[place].sent < size { try sendRest(place) }
        if event.readiness == .writable { continue }
        guard try receive(place, &buffer) else { continue }
        let now = csk_monotonic_nanoseconds()
        histogram.record(now &- progress[place].sentAt)
        if unsent > 0 {
          unsent &-= 1
          try send(place, at: now)
        } else {
          pending &-= 1
        }
      }
    }
    return csk_monotonic_nanoseconds() - begin
  }

  // Without a deadline, which would cost a timer in every wait: a server that hangs is ended by its own alarm, and then
  // the connections close.
  private mutating func wait() throws(ToolError) -> Int {
    do throws(SocketError) {
      return try poller.wait()
    } catch {
      throw ToolError("the client's poller: \(error)")
    }
  }

  private mutating func send(_ place: Int, at time: Int64) throws(ToolError) {
    progress[place].sentAt = time
    progress[place].received = 0
    progress[place].sent = 0
    if try sendSome(place) { return }
    try watch(place, [.readable, .writable])
  }

  private mutating func sendRest(_ place: Int) throws(ToolError) {
    if try sendSome(place) { try watch(place, .readable) }
  }

  /// Whether the whole message is sent.
  private mutating func sendSome(_ place: Int) throws(ToolError) -> Bool {
    let done = progress[place].sent
    let start = place & 255
    let outcome = sockets.withElement(progress[place].token) { socket -> Result<IOOutcome, SocketError> in
      do throws(SocketError) {
        return .success(try socket.write(pattern.span.extracting(start + done..<start + size)))
      } catch {
        return .failure(error)
      }
    }
    switch outcome {
    case .success(.bytes(let count)):
      progress[place].sent = done &+ count
      return progress[place].sent == size
    case .success: return false
    case .failure(let error): throw ToolError("sending to the server: \(error)")
    case nil: throw ToolError("a connection is lost in the client")
    }
  }

  /// Whether the whole reply is there.
  private mutating func receive(_ place: Int, _ buffer: inout [UInt8]) throws(ToolError) -> Bool {
    let outcome = sockets.withElement(progress[place].token) { socket -> Result<IOOutcome, SocketError> in
      do throws(SocketError) {
        return .success(try socket.read(into: buffer.mutableSpan))
      } catch {
        return .failure(error)
      }
    }
    switch outcome {
    case .success(.bytes(let count)):
      let done = progress[place].received
      guard done + count <= progress[place].sent, isExpected(buffer, count, from: (place & 255) + done) else {
        throw ToolError("connection \(place) got other bytes than it had sent")
      }
      progress[place].received = done &+ count
      return done &+ count == size
    case .success(.wouldBlock): return false
    case .success(.endOfStream): throw ToolError("the server closed a connection: it failed, or its time was over")
    case .failure(let error): throw ToolError("receiving from the server: \(error)")
    case nil: throw ToolError("a connection is lost in the client")
    }
  }

  private func isExpected(_ buffer: [UInt8], _ count: Int, from start: Int) -> Bool {
    buffer.withUnsafeBytes { got in
      pattern.withUnsafeBytes { sent in
        guard let got = got.baseAddress, let sent = sent.baseAddress else { return count == 0 }
        return memcmp(got, sent + start, count) == 0
      }
    }
  }

  private mutating func watch(_ place: Int, _ interest: Interest) throws(ToolError) {
    let token = progress[place].token
    guard let source = sockets.withElement(token, { $0.readSource }) else { return }
    do throws(SocketError) {
      try poller.modify(source: source, interest, token: token)
    } catch {
      throw ToolError("the client's poller: \(error)")
    }
  }
}

/// Where a connection's message is. Not nested: in a generic type its metadata would hang on the conformances of the
/// type's parameters, and for `SpinPoller: BenchPoller where Base == EpollPoller` the runtime (6.3.1) found none and
/// made arrays without a type, which crash when they are freed.
struct ClientProgress {
  let token: Token
  var sentAt: Int64 = 0
  var sent = 0
  var received = 0
}
