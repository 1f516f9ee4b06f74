internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// The result of one run of a datagram server.
struct DatagramRun: Sendable {
  /// The number of returned datagrams per second. An optional value of this type is nil if the run is too short to
  /// measure the value.
  let rate: Double?
  /// The CPU time of the server and of the load generator, in nanoseconds per datagram.
  let cpu, loadCPU: Double?
  /// The server's system calls per datagram, and the events per wait.
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

/// One configuration of the udp-echo load: the server and the system calls with which it echoes.
struct DatagramCell: Hashable, Sendable {
  let kind: ServerKind
  let way: DatagramWay
  /// Whether this cell repeats another cell, to show the random variation.
  var isAgain = false

  /// - Parameter ways: must contain ``DatagramWay/plain``, which is the reference for all other ways.
  static func all(_ ways: [DatagramWay]) -> [DatagramCell] {
    [DatagramWay.plain, .one, .batch, .joined, .offload].filter(ways.contains).flatMap { way in
      [ServerKind.c, .swift].map { DatagramCell(kind: $0, way: way) }
    } + [DatagramCell(kind: .c, way: .plain, isAgain: true)]
  }

  var label: String { kind == .swift ? "ours" : isAgain ? "C again" : "C" }
}

/// One run of a datagram server, which is a separate process. This process generates the load.
struct DatagramEchoTask: Sendable {
  let cell: DatagramCell
  let poller: PollerChoice
  let size: Int
  /// The limits of the run, in time and in datagrams. The run ends when it reaches either limit.
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
      // Send one more datagram: any duplicates of earlier datagrams arrive before its reply.
      _ = try load.run(nanoseconds: .max, datagrams: 1)
      return DatagramRun(outcome, use: use, loadCPU: loadCPU, burst: load.burst, window: load.window)
    }
  }

  /// Checks the call counts of this server.
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
