internal import CSocketKit
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// The clients of the load. They run on one thread as a closed loop, with one message in flight per connection. The
/// same code measures SocketKit's server and the C server. Every message has a number, and every received byte is
/// compared with the sent byte.
struct LoadGenerator<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>: ~Copyable {
  private var poller: P
  private var sockets: Slab<S>
  private var progress: [ClientProgress]
  private var messages: NumberedMessages
  private let size: Int
  private let limit: TimeLimit

  /// Establishes all connections sequentially.
  init(to text: String, connections: Int, size: Int, limit: TimeLimit) throws {
    guard let address = S.address(text) else { throw ToolError("the server's address \"\(text)\" is not an address") }
    var poller = try P(P.configuration(capacity: connections))
    limit.watch(poller.waker)
    var sockets = Slab<S>(capacity: connections)
    var progress: [ClientProgress] = []
    progress.reserveCapacity(connections)
    for _ in 0..<connections {
      let socket = try S.connect(to: address, until: .after(.seconds(10)), configure: S.tune)
      let source = socket.readSource
      // No element is ever removed, so the indexes of the tokens are consecutive and start at 0.
      let token = sockets.insert(socket)
      try poller.register(source, for: .readable, token: token)
      progress.append(ClientProgress(token: token))
    }
    self.poller = poller
    self.sockets = sockets
    self.progress = progress
    self.size = size
    self.limit = limit
    messages = NumberedMessages(size: size)
  }

  /// Sends the given number of messages over all connections and waits for all replies.
  /// - Returns: the elapsed time in nanoseconds.
  mutating func run(_ messages: Int, into histogram: inout Histogram) throws(LoadError) -> Int64 {
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

  /// Shuts down all connections and waits until the server has closed them too. This detects unexpected data, because a
  /// server must have sent all data before it closes a connection.
  mutating func finish() throws(LoadError) {
    if !S.endsInHalves {
      // Exchange one more message on each connection: any unexpected data arrives before its reply.
      var ignored = Histogram()
      _ = try run(progress.count, into: &ignored)
      return
    }
    var buffer = [UInt8](repeating: 0, count: size)
    for place in progress.indices { try endSending(place) }
    var open = progress.count
    while open > 0 {
      let count = try wait()
      // Once the limit has passed, connections end because the server is killed.
      if limit.isOver { throw lost("") }
      var index = 0
      while index < count {
        let place = Int(poller[event: index].token.index)
        index &+= 1
        guard !progress[place].isEnded, try isEnded(place, &buffer) else { continue }
        progress[place].isEnded = true
        open -= 1
      }
    }
  }

  private mutating func endSending(_ place: Int) throws(LoadError) {
    let failure = sockets.withElement(progress[place].token) { socket -> SocketError? in
      do throws(SocketError) {
        try socket.shutdown(.write)
        return nil
      } catch {
        return error
      }
    }
    if let failure, let error = failure { throw lost("shutting down connection \(place): \(error)") }
  }

  private mutating func isEnded(_ place: Int, _ buffer: inout [UInt8]) throws(LoadError) -> Bool {
    switch try read(place, &buffer) {
    case nil: return false
    case .bytes(let count): throw .wrong("connection \(place) received \(count) bytes more than it sent")
    case .endOfStream:
      guard let source = sockets.withElement(progress[place].token, { $0.readSource }) else { return true }
      do throws(SocketError) {
        // Without the deregistration, the poller would report the end repeatedly.
        try poller.deregister(source: source)
      } catch {
        throw .wrong("the client's poller: \(error)")
      }
      return true
    }
  }

  // Wait without a deadline, because a deadline would add the cost of a timer. When the time limit passes,
  // ``TimeLimit`` wakes the poller.
  private mutating func wait() throws(LoadError) -> Int {
    do throws(SocketError) {
      let count = try poller.wait()
      if count == 0 && limit.isOver { throw SocketError(code: .timedOut, .wait) }
      return count
    } catch {
      throw lost("the client's poller: \(error)")
    }
  }

  /// Returns the error to report. After the time limit, the error describes the missing replies, because the errors
  /// caused by killing the server are less informative.
  private func lost(_ text: String) -> LoadError {
    if !limit.isOver { return .lost(text) }
    let waiting = progress.indices.filter { progress[$0].number > 0 && progress[$0].received < size }
    if let first = waiting.first {
      return .wrong(
        "\(waiting.count) of \(progress.count) connections wait for a reply; the first is connection \(first), with "
          + "message \(progress[first].number)")
    }
    let open = progress.count { !$0.isEnded }
    return .wrong("the server has not closed \(open) of \(progress.count) connections")
  }

  private mutating func send(_ place: Int, at time: Int64) throws(LoadError) {
    progress[place].sentAt = time
    progress[place].number &+= 1
    progress[place].received = 0
    progress[place].sent = 0
    if try sendSome(place) { return }
    try watch(place, [.readable, .writable])
  }

  private mutating func sendRest(_ place: Int) throws(LoadError) {
    if try sendSome(place) { try watch(place, .readable) }
  }

  /// Sends as much of the message as possible; returns whether it is completely sent.
  private mutating func sendSome(_ place: Int) throws(LoadError) -> Bool {
    let done = progress[place].sent
    let (number, token) = (progress[place].number, progress[place].token)
    let outcome = messages.withMessage(number, of: place, from: done) { bytes in
      sockets.withElement(token) { socket -> Result<Int?, SocketError> in
        do throws(SocketError) {
          return .success(try socket.write(bytes))
        } catch {
          return .failure(error)
        }
      }
    }
    switch outcome {
    case .success(let count):
      progress[place].sent = done &+ (count ?? 0)
      return progress[place].sent == size
    case .failure(let error): throw lost("sending to the server: \(error)")
    case nil: throw .wrong("a connection of the client is missing")
    }
  }

  private mutating func read(_ place: Int, _ buffer: inout [UInt8]) throws(LoadError) -> ReadOutcome? {
    let outcome = sockets.withElement(progress[place].token) { socket -> Result<ReadOutcome?, SocketError> in
      do throws(SocketError) {
        return .success(try socket.read(into: buffer.mutableSpan))
      } catch {
        return .failure(error)
      }
    }
    switch outcome {
    case .success(let outcome): return outcome
    case .failure(let error): throw lost("receiving from the server: \(error)")
    case nil: throw .wrong("a connection of the client is missing")
    }
  }

  /// Reads part of the reply; returns whether it is complete.
  private mutating func receive(_ place: Int, _ buffer: inout [UInt8]) throws(LoadError) -> Bool {
    switch try read(place, &buffer) {
    case .bytes(let count):
      let (done, number) = (progress[place].received, progress[place].number)
      guard done + count <= progress[place].sent else {
        throw .wrong("connection \(place) received more bytes than it sent, with message \(number)")
      }
      guard messages.matches(buffer.span.extracting(first: count), number, of: place, from: done) else {
        throw .wrong("connection \(place) received other bytes than it sent, as message \(number)")
      }
      progress[place].received = done &+ count
      return done &+ count == size
    case nil: return false
    case .endOfStream: throw lost("the server closed connection \(place)")
    }
  }

  private mutating func watch(_ place: Int, _ interest: Interest) throws(LoadError) {
    let token = progress[place].token
    guard let source = sockets.withElement(token, { $0.readSource }) else { return }
    do throws(SocketError) {
      try poller.modify(source, for: interest, token: token)
    } catch {
      throw .wrong("the client's poller: \(error)")
    }
  }
}

/// The progress of a connection's message. This type is not nested in the generic type, because the metadata of a
/// nested type depends on the conformances of the generic parameters. The runtime (6.3.1) does not find a conformance
/// such as `SpinPoller: BenchPoller where Base == EpollPoller`, and creates arrays without a type. The program crashes
/// when it frees such an array.
struct ClientProgress {
  let token: Token
  /// The number of the current message, or of the last message if none is in flight; 0 before the first message.
  var number = 0
  var sentAt: Int64 = 0
  var sent = 0
  var received = 0
  var isEnded = false
}
