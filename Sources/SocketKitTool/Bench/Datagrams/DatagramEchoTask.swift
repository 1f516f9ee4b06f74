internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// What one run of a datagram server came to.
struct DatagramRun: Sendable {
  /// Datagrams that came back, a second. nil, as all that follow, when the run is too short for it.
  let rate: Double?
  /// CPU time in nanoseconds a datagram: the server's, and the load generator's.
  let cpu, loadCPU: Double?
  /// The server's system calls a datagram, and the events that a wait of it reported.
  let calls, eventsPerWait: Double?
  let datagrams: Int
  let burst, window: Int

  init(_ outcome: DatagramLoad.Outcome, use: ServerUse, loadCPU: Int64, burst: Int, window: Int) {
    let count = Double(max(1, outcome.received))
    let isLong = outcome.received >= Sample.leastMessages
    rate = outcome.nanoseconds >= Sample.leastTime ? count / (Double(outcome.nanoseconds) / 1e9) : nil
    cpu = use.cpu >= Sample.leastCPU ? Double(use.cpu) / count : nil
    self.loadCPU = loadCPU >= Sample.leastCPU ? Double(loadCPU) / count : nil
    calls = isLong ? Double(use.calls) / count : nil
    eventsPerWait = isLong && use.waits > 0 ? Double(use.events) / Double(use.waits) : nil
    datagrams = outcome.received
    self.burst = burst
    self.window = window
  }

  var json: JSON {
    [
      "rate": .number(rate), "cpu": .number(cpu.map { $0 / 1000 }), "loadCPU": .number(loadCPU.map { $0 / 1000 }),
      "calls": .number(calls), "eventsPerWait": .number(eventsPerWait), "datagrams": .integer(Int64(datagrams)),
    ]
  }
}

/// One server of the udp-echo load: which, and how it echoes.
struct DatagramCell: Hashable, Sendable {
  let kind: ServerKind
  let way: DatagramWay
  /// Once more, to show what chance does.
  var isAgain = false

  /// - Parameter ways: must have ``DatagramWay/plain``, to which all others are compared.
  static func all(_ ways: [DatagramWay]) -> [DatagramCell] {
    [DatagramWay.plain, .one, .batch, .joined, .offload].filter(ways.contains).flatMap { way in
      [ServerKind.c, .swift].map { DatagramCell(kind: $0, way: way) }
    } + [DatagramCell(kind: .c, way: .plain, isAgain: true)]
  }

  var label: String { kind == .swift ? "ours" : isAgain ? "C again" : "C" }
}

/// A run of one such server in a process of its own, with the load from this process.
struct DatagramEchoTask: Sendable {
  let cell: DatagramCell
  let poller: PollerChoice
  let size: Int
  /// When it ends, whichever comes first.
  let nanoseconds: Int64
  let datagrams: Int
  let takesTurns: Bool
  let setting: RunSetting

  func run() throws -> DatagramRun {
    let server = try start()
    return try server.under {
      var load = try load(server.address)
      _ = try load.run(nanoseconds: nanoseconds / 5, datagrams: max(1, datagrams / 5))
      let loadBefore = bench_cpu_time(0)
      let (outcome, use) = try server.use { try load.run(nanoseconds: nanoseconds, datagrams: datagrams) }
      let loadCPU = bench_cpu_time(0) - loadBefore
      // One more: what came twice at the end would come before it.
      _ = try load.run(nanoseconds: .max, datagrams: 1)
      return DatagramRun(outcome, use: use, loadCPU: loadCPU, burst: load.burst, window: load.window)
    }
  }

  /// Checks how this server counts its calls.
  func check() throws -> CallCheck? {
    let server = try start()
    return try server.under {
      var load = try load(server.address)
      return try CallCheck.of(server, setting.limit) { _ = try load.run(nanoseconds: .max, datagrams: 300) }
    }
  }

  private func start() throws -> ServerProcess {
    var plan = DatagramPlan(cell.way, size: size)
    plan.takesTurns = takesTurns
    return try ServerProcess.start(
      cell.kind, Composition(transport: .udp, poller: poller), connections: 1, setting: setting, datagrams: plan)
  }

  private func load(_ address: String) throws -> DatagramLoad {
    try DatagramLoad(
      to: address, size: size, coalesced: cell.way == .joined || cell.way == .offload, limit: setting.limit)
  }
}
