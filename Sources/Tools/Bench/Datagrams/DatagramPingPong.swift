internal import CSocketKit
internal import SocketKit
internal import SocketKitToolSupport

/// Ping-pong over datagrams, with the server in its own process and the client in this process.
struct DatagramPingPong: DatagramTask {
  let kind: ServerKind
  let composition: Composition
  let size: Int
  let messages: Int
  let warmUp: Int
  let setting: RunSetting

  func run<S: BenchDatagrams & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Run {
    let server = try ServerProcess.start(
      kind, composition, connections: 1, setting: setting, datagrams: DatagramPlan(.one, size: size))
    return try server.under {
      guard let address = S.Address(server.address) else {
        throw ToolError("the server's address \"\(server.address)\" is not an address")
      }
      var client = try DatagramClient(S.connect(to: address), P(P.configuration(capacity: 1)), size, setting.limit)
      var ignored = Histogram()
      _ = try client.run(warmUp, into: &ignored)
      var histogram = Histogram()
      let (elapsed, use) = try server.use { try client.run(messages, into: &histogram) }
      // Send one more datagram: a duplicate reply to the previous datagram would arrive before the reply to this one.
      _ = try client.run(1, into: &ignored)
      return Run(histogram, elapsed: elapsed, use: use)
    }
  }
}

/// Checks the call counts of the datagram ping-pong servers.
struct DatagramCallCheck: DatagramTask {
  let kind: ServerKind
  let composition: Composition
  let size: Int
  let setting: RunSetting

  func run<S: BenchDatagrams & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> CallCheck? {
    let server = try ServerProcess.start(
      kind, composition, connections: 1, setting: setting, datagrams: DatagramPlan(.one, size: size))
    return try server.under {
      guard let address = S.Address(server.address) else {
        throw ToolError("the server's address \"\(server.address)\" is not an address")
      }
      var client = try DatagramClient(S.connect(to: address), P(P.configuration(capacity: 1)), size, setting.limit)
      var ignored = Histogram()
      return try CallCheck.of(server, setting.limit) { _ = try client.run(50, into: &ignored) }
    }
  }
}

/// Sends numbered datagrams, one at a time, and waits for the reply to each.
private struct DatagramClient<S: BenchDatagrams & ~Copyable, P: BenchPoller & ~Copyable>: ~Copyable {
  private let socket: S
  private var poller: P
  private var messages: NumberedMessages
  private var number = 0
  private let size: Int
  private let limit: TimeLimit

  init(_ socket: consuming S, _ poller: consuming P, _ size: Int, _ limit: TimeLimit) throws(SocketError) {
    var poller = poller
    limit.watch(poller.waker)
    try poller.register(socket, for: .readable, token: Token(index: 0))
    self.socket = socket
    self.poller = poller
    self.size = size
    self.limit = limit
    messages = NumberedMessages(size: size)
  }

  /// - Returns: the elapsed time in nanoseconds.
  mutating func run(_ count: Int, into histogram: inout Histogram) throws -> Int64 {
    // Add one byte, to detect replies that are too long.
    var buffer = [UInt8](repeating: 0, count: size + 1)
    let begin = csk_monotonic_nanoseconds()
    for _ in 0..<count {
      number += 1
      let start = csk_monotonic_nanoseconds()
      try send()
      let length = try receive(&buffer)
      histogram.record(csk_monotonic_nanoseconds() &- start)
      let isSame =
        length == size
        && messages.matches(buffer.span.extracting(first: size), number, of: 0, from: 0)
      if !isSame { throw ToolError("the reply to datagram \(number) differs from the datagram that was sent") }
    }
    return csk_monotonic_nanoseconds() - begin
  }

  private mutating func send() throws {
    let sent = messages.withMessage(number, of: 0, from: 0) { bytes -> Result<Int?, SocketError> in
      do throws(SocketError) {
        return .success(try socket.send(bytes))
      } catch {
        return .failure(error)
      }
    }
    guard try sent.get() == size else { throw ToolError("the send buffer of the client's socket is full") }
  }

  private mutating func receive(_ buffer: inout [UInt8]) throws -> Int {
    var info = MessageInfo()
    while true {
      // The loss of a datagram causes no error, so after such a loss the time limit ends this wait.
      if try poller.wait() == 0 && limit.isOver { throw ToolError("datagram \(number) was not returned") }
      if try socket.receive(into: buffer.mutableSpan, &info) != nil { return info.length }
    }
  }
}
