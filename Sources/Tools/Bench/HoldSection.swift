internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Section {
  /// Measures servers with a very large number of simultaneous connections.
  static func hold(size: Int, _ options: BenchOptions) -> Section {
    let asked = options.connections(.hold)
    // Reserve some descriptors for the client itself.
    let possible = max(1, bench_raise_descriptor_limit() - 64)
    let connections = min(asked, possible)
    let messages = options.messages(.hold, connections: connections)
    let limit = connections < asked ? " (\(asked.grouped) requested, limited by the descriptor limit)" : ""
    var section = Section(
      title: "hold: \(connections.grouped) simultaneous connections\(limit) on one server thread, \(size) bytes, "
        + "\(messages.grouped) messages, at least one per connection",
      parameters: parameters(.hold, connections: connections, size: size, messages: messages),
      table: Table([
        ("transport", .left), ("poller", .left), ("server", .left), ("open", .right), ("connecting s", .right),
        ("p50 ms", .right), ("max ms", .right), ("msg/s", .right), ("cpu/msg", .right), ("calls/msg", .right),
        ("events/wait", .right), ("", .left),
      ]),
      notes: [
        "open: simultaneous connections as counted by the server, the minimum of the rounds. max: the maximum of the",
        "rounds. Other columns: medians. cpu: in microseconds. Every returned byte is compared with the byte that was",
        "sent. The clients run in a separate process. The C server always uses epoll.",
      ])
    section.forEach(.hold, options) { (section, composition) in
      let runs = try InTurn(rounds: options.rounds(.hold)) { kind, round in
        Terminal.progress(
          "hold \(composition.transport.rawValue)/\(composition.poller.rawValue): round \(round + 1), \(kind.label)")
        return try options.run(kind, connections: connections, size: size, messages: messages) { setting in
          try HoldTask(
            kind: kind, composition: composition, connections: connections, size: size, messages: messages,
            setting: setting
          ).run(over: composition.transport, with: composition.poller)
        }
      }
      for kind in [ServerKind.c, .swift] { section.addHold(kind, runs[kind], composition, connections) }
    }
    section.noteShortRuns()
    return section
  }

  private mutating func addHold(
    _ kind: ServerKind, _ outcomes: [HoldTask.Outcome], _ composition: Composition, _ connections: Int
  ) {
    let runs = outcomes.map(\.run)
    func middle(_ number: (Run) -> Double?) -> Double? { median(runs.map(number)) }
    let atOnce = outcomes.map(\.peak).min() ?? 0
    let connecting = median(outcomes.map(\.connecting))
    let maximum = runs.map(\.maximum).max() ?? .nan
    let passed = atOnce >= connections
    if !passed { failed = true }
    table.add([
      composition.transport.rawValue, composition.poller.rawValue, kind.label, atOnce.grouped, connecting.fixed(2),
      middle { $0.p50.map { $0 / 1000 } }.fixed(1), (maximum / 1000).fixed(1), middle(\.rate).grouped,
      middle(\.cpu).fixed(2), middle(\.calls).fixed(2), middle(\.eventsPerWait).fixed(2),
      passed ? "ok" : "FAILED: not all connections were open at the same time",
    ])
    rows.append(
      composition.json + [
        "server": .string(kind.label), "connections": .integer(Int64(connections)), "atOnce": .integer(Int64(atOnce)),
        "connectingSeconds": .number(connecting), "runs": .array(runs.map(\.json)), "passed": .bool(passed),
      ])
  }
}
