internal import CSocketKit
internal import CSocketKitBaseline
internal import SocketKit
internal import SocketKitToolSupport

/// Ping-pong over datagrams: a server process, and the client here.
struct DatagramPingPong: DatagramTask {
  let kind: ServerKind
  let composition: Composition
  let size: Int
  let messages: Int
  let warmUp: Int
  let serverCPU: Int?

  func run<S: BenchDatagrams & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Run {
    let server = try ServerProcess.start(
      kind, composition, connections: 1, cpu: serverCPU, lifetime: 60, datagrams: DatagramPlan(.one, size: size))
    guard let address = S.Address(server.address) else { throw ToolError("no address: \(server.address)") }
    let socket = try S.connect(to: address)
    var poller = try P(P.configuration(capacity: 1))
    try poller.register(socket, .readable, token: Token(index: 0))
    var ignored = Histogram()
    _ = try bounce(socket, &poller, warmUp, into: &ignored)
    var histogram = Histogram()
    let callsBefore = server.counters.calls
    let cpuBefore = try server.cpuTime()
    let elapsed = try bounce(socket, &poller, messages, into: &histogram)
    let cpu = try server.cpuTime() - cpuBefore
    let calls = server.counters.calls - callsBefore
    return Run(histogram, elapsed: elapsed, cpuPerMessage: Double(cpu) / Double(messages), calls: calls)
  }

  /// - Returns: how long that took, in nanoseconds.
  private func bounce<S: BenchDatagrams & ~Copyable, P: BenchPoller & ~Copyable>(
    _ socket: borrowing S, _ poller: inout P, _ messages: Int, into histogram: inout Histogram
  ) throws -> Int64 {
    let pattern = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
    var buffer = [UInt8](repeating: 0, count: size + 1)
    let begin = csk_monotonic_nanoseconds()
    for _ in 0..<messages {
      let start = csk_monotonic_nanoseconds()
      guard try socket.send(pattern.span) == .bytes(size) else { throw ToolError("the client's socket is full") }
      var info = MessageInfo()
      // A datagram may be lost, and then nobody says so.
      while try poller.wait(until: .after(.seconds(5))) > 0 {
        if case .bytes = try socket.receive(into: buffer.mutableSpan, &info) { break }
      }
      guard info.length == size else { throw ToolError("a datagram was lost, or came back in another length") }
      histogram.record(csk_monotonic_nanoseconds() &- start)
      if !buffer.dropLast().elementsEqual(pattern) { throw ToolError("a datagram came back changed") }
    }
    return csk_monotonic_nanoseconds() - begin
  }
}
