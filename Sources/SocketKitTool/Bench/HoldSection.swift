internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Section {
  /// Holds very many connections at once.
  static func hold(size: Int, _ options: BenchOptions) -> Section {
    let asked = options.connections(.hold)
    // The client needs a few descriptors for itself.
    let possible = max(1, bench_raise_descriptor_limit() - 64)
    let connections = min(asked, possible)
    let messages = options.messages(.hold, connections: connections)
    let limit = connections < asked ? " (\(asked.grouped) asked, the descriptor limit allows no more)" : ""
    var section = Section(
      title: "hold: \(connections.grouped) connections at once\(limit) on one server thread, \(size) bytes, "
        + "\(messages.grouped) messages, at least one on each",
      parameters: parameters(.hold, connections: connections, size: size, messages: messages),
      table: Table([
        ("transport", .left), ("poller", .left), ("server", .left), ("at once", .right), ("connecting s", .right),
        ("p50 ms", .right), ("max ms", .right), ("msg/s", .right), ("cpu/msg", .right), ("calls/msg", .right),
        ("", .left),
      ]),
      notes: [
        "at once: what the server counted. Every byte that came back was compared with what was sent. Clients are in a",
        "process of their own. cpu in microseconds. The C server always uses epoll.",
      ])
    section.forEach(.hold, options) { (section, composition) in
      for kind in ServerKind.allCases {
        let server = kind == .swift ? "ours" : "C epoll"
        Terminal.progress("hold \(composition.transport.rawValue)/\(composition.poller.rawValue): \(server)")
        let outcome = try HoldTask(
          kind: kind, composition: composition, connections: connections, size: size, messages: messages,
          serverCPU: options.pins?.server
        ).run(over: composition.transport, with: composition.poller)
        let passed = outcome.peak >= connections
        if !passed { section.failed = true }
        section.table.add([
          composition.transport.rawValue, composition.poller.rawValue, server, outcome.peak.grouped,
          outcome.connecting.fixed(2), (outcome.run.p50 / 1000).fixed(1), (outcome.run.maximum / 1000).fixed(1),
          Int(outcome.run.rate).grouped, outcome.run.cpu.fixed(2), outcome.run.calls.fixed(2),
          passed ? "ok" : "FAILED",
        ])
        section.rows.append(
          composition.json + [
            "server": .string(server), "connections": .integer(Int64(connections)),
            "atOnce": .integer(Int64(outcome.peak)), "connectingSeconds": .number(outcome.connecting),
            "run": outcome.run.json, "passed": .bool(passed),
          ])
      }
    }
    return section
  }

  /// Leaves many connections alone.
  static func idle(size: Int, _ options: BenchOptions) -> Section {
    let seconds = 2
    let connections = min(options.connections(.idle), max(1, bench_raise_descriptor_limit() - 64))
    var section = Section(
      title: "idle: \(connections.grouped) connections, \(seconds) s without a message",
      parameters: parameters(.idle, connections: connections, size: size),
      table: Table([
        ("transport", .left), ("poller", .left), ("server", .left), ("wakes", .right), ("sleeps", .right),
        ("cpu", .right), ("", .left),
      ]),
      notes: [
        "wakes: returns of the server's wait; a poller that sleeps must have none. sleeps: times that the server's",
        "thread went to sleep, by the kernel's count. cpu: of the server in these seconds, in microseconds.",
      ])
    section.forEach(.idle, options) { (section, composition) in
      for kind in ServerKind.allCases {
        let server = kind == .swift ? "ours" : "C epoll"
        Terminal.progress("idle \(composition.transport.rawValue)/\(composition.poller.rawValue): \(server)")
        let outcome = try IdleTask(
          kind: kind, composition: composition, connections: connections, size: size, seconds: seconds,
          serverCPU: options.pins?.server
        ).run(over: composition.transport, with: composition.poller)
        let passed = !outcome.parks || outcome.wakes == 0
        if !passed { section.failed = true }
        section.table.add([
          composition.transport.rawValue, composition.poller.rawValue, server, "\(outcome.wakes)",
          outcome.sleeps.map { "\($0)" } ?? "-", outcome.cpu.fixed(0),
          passed ? (outcome.parks ? "ok" : "does not promise to sleep") : "FAILED",
        ])
        section.rows.append(
          composition.json + [
            "server": .string(server), "connections": .integer(Int64(connections)),
            "wakes": .integer(Int64(outcome.wakes)), "sleeps": outcome.sleeps.map { .integer(Int64($0)) } ?? .null,
            "cpu": .number(outcome.cpu), "parks": .bool(outcome.parks), "passed": .bool(passed),
          ])
      }
    }
    return section
  }
}
