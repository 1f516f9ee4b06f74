internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// Ping-pong and fan: a server process, and the load generator here.
struct EchoTask: CompositionTask {
  let kind: ServerKind
  let composition: Composition
  let connections: Int
  let size: Int
  let messages: Int
  let warmUp: Int
  let serverCPU: Int?

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Run {
    let server = try ServerProcess.start(kind, composition, connections: connections, cpu: serverCPU, lifetime: 60)
    var client = try LoadGenerator<S, P>(to: server.address, connections: connections, size: size)
    var ignored = Histogram()
    _ = try client.run(warmUp, into: &ignored)
    var histogram = Histogram()
    let callsBefore = server.counters.calls
    let cpuBefore = try server.cpuTime()
    let elapsed = try client.run(messages, into: &histogram)
    let cpu = try server.cpuTime() - cpuBefore
    let calls = server.counters.calls - callsBefore
    return Run(histogram, elapsed: elapsed, cpuPerMessage: Double(cpu) / Double(messages), calls: calls)
  }
}
