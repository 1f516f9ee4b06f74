internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Section {
  /// Measures servers with many idle connections.
  static func idle(size: Int, _ options: BenchOptions) -> Section {
    let milliseconds = options.idleMilliseconds
    let rounds = options.rounds(.idle)
    let connections = min(options.connections(.idle), max(1, bench_raise_descriptor_limit() - 64))
    let seconds = (Double(milliseconds) / 1000).fixed(1)
    var section = Section(
      title: "idle: \(connections.grouped) connections, \(rounds) rounds of \(seconds) s without messages",
      parameters: parameters(.idle, connections: connections, size: size)
        + [JSON.Member("rounds", .integer(Int64(rounds))), JSON.Member("milliseconds", .integer(Int64(milliseconds)))],
      table: Table([
        ("transport", .left), ("poller", .left), ("server", .left), ("wakes", .right), ("sleeps", .right),
        ("cpu", .right), ("", .left),
      ]),
      notes: [
        "wakes: how often the server's wait returned. sleeps: how often a thread of the server went to sleep, as",
        "counted by the kernel. cpu: the server's, in microseconds. All numbers are sums over the rounds. If a",
        "poller guarantees to sleep, its row must have 0 wakes, 0 sleeps (the server already sleeps at the start) and",
        "at most \(Idleness.allowedCPU.fixed(0)) µs of cpu per round. Every connection echoes a message before and",
        "after the idle period, and is then closed.",
      ])
    section.forEach(.idle, options) { (section, composition) in
      let runs = try InTurn(rounds: rounds) { kind, round in
        Terminal.progress(
          "idle \(composition.transport.rawValue)/\(composition.poller.rawValue): round \(round + 1), \(kind.label)")
        return try options.run(kind, connections: connections, size: size, messages: 2 * connections) { setting in
          try IdleTask(
            kind: kind, composition: composition, connections: connections, size: size, milliseconds: milliseconds,
            settling: options.settlingMilliseconds, setting: setting
          ).run(over: composition.transport, with: composition.poller)
        }
      }
      for kind in [ServerKind.c, .swift] { section.addIdle(kind, runs[kind], composition, connections) }
    }
    return section
  }

  private mutating func addIdle(
    _ kind: ServerKind, _ runs: [Idleness], _ composition: Composition, _ connections: Int
  ) {
    let complaint = runs.compactMap(\.complaint).first
    let parks = runs.allSatisfy(\.parks)
    if complaint != nil { failed = true }
    let (wakes, sleeps) = (runs.map(\.wakes).reduce(0, +), runs.map(\.sleeps).reduce(0, +))
    let cpu = runs.map(\.cpu).reduce(0, +)
    table.add([
      composition.transport.rawValue, composition.poller.rawValue, kind.label, "\(wakes)", "\(sleeps)", cpu.fixed(0),
      complaint.map { "FAILED: \($0)" } ?? (parks ? "ok" : "the poller does not guarantee to sleep"),
    ])
    rows.append(
      composition.json + [
        "server": .string(kind.label), "connections": .integer(Int64(connections)), "wakes": .integer(Int64(wakes)),
        "sleeps": .integer(Int64(sleeps)), "cpu": .number(cpu), "parks": .bool(parks),
        "passed": .bool(complaint == nil), "complaint": complaint.map { .string($0) } ?? .null,
      ])
  }
}
