internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// What one run of a datagram server came to.
struct DatagramRun: Sendable {
  /// Datagrams that came back, a second.
  let rate: Double
  /// CPU time in nanoseconds a datagram: the server's, and the load generator's.
  let cpu, loadCPU: Double
  /// The server's system calls a datagram.
  let calls: Double
  /// Datagrams that never came back.
  let lost: Int
  let datagrams: Int
  let burst, window: Int

  var json: JSON {
    [
      "rate": .number(rate), "cpu": .number(cpu / 1000), "loadCPU": .number(loadCPU / 1000), "calls": .number(calls),
      "lost": .integer(Int64(lost)), "datagrams": .integer(Int64(datagrams)),
    ]
  }
}

/// One server of the udp-echo load: which, and how it echoes.
struct DatagramCell: Equatable, Sendable {
  let kind: ServerKind
  let way: DatagramWay
  /// Once more, to show what chance does.
  var isAgain = false

  static let all =
    [DatagramWay.plain, .one, .batch, .joined, .offload].flatMap { way in
      [ServerKind.c, .swift].map { DatagramCell(kind: $0, way: way) }
    } + [DatagramCell(kind: .c, way: .plain, isAgain: true)]

  /// A run of this server in a process of its own, with the load from this process.
  func run(size: Int, nanoseconds: Int64, datagrams: Int, serverCPU: Int, takesTurns: Bool) throws -> DatagramRun {
    var plan = DatagramPlan(way, size: size)
    plan.takesTurns = takesTurns
    let server = try ServerProcess.start(
      kind, Composition(transport: .udp, poller: .epoll), connections: 1, cpu: serverCPU, lifetime: 60,
      datagrams: plan)
    var load = try DatagramLoad(to: server.address, size: size, coalesced: way == .joined || way == .offload)
    _ = try load.run(nanoseconds: nanoseconds / 5, datagrams: max(1, datagrams / 5))
    let callsBefore = server.counters.calls
    let cpuBefore = try server.cpuTime()
    let loadBefore = bench_cpu_time(0)
    let outcome = try load.run(nanoseconds: nanoseconds, datagrams: datagrams)
    let loadCPU = bench_cpu_time(0) - loadBefore
    let cpu = try server.cpuTime() - cpuBefore
    let calls = server.counters.calls - callsBefore
    let count = Double(max(1, outcome.received))
    return DatagramRun(
      rate: count / (Double(max(1, outcome.nanoseconds)) / 1e9), cpu: Double(cpu) / count,
      loadCPU: Double(loadCPU) / count, calls: Double(calls) / count, lost: outcome.lost, datagrams: outcome.received,
      burst: load.burst, window: load.window)
  }
}
