internal import SocketKitToolSupport

extension Section {
  /// Measures ping-pong, fan or same-thread. All rows have the same columns and are compared with the C server.
  static func latency(_ load: LoadChoice, size: Int, _ options: BenchOptions) -> Section {
    let connections = options.connections(load)
    let messages = options.messages(load, connections: connections)
    let warmUp = max(messages / 10, connections)
    var section = Section(
      title: "\(load.rawValue): \(title(load, connections)), \(size) bytes, \(messages.grouped) messages per run after "
        + "\(warmUp.grouped) of warm-up",
      parameters: parameters(load, connections: connections, size: size, messages: messages, warmUp: warmUp),
      table: Table([
        ("transport", .left), ("poller", .left), ("server", .left), ("p50", .right), ("p90", .right), ("p99", .right),
        ("p99.9", .right), ("max", .right), ("msg/s", .right), ("cpu/msg", .right), ("calls/msg", .right),
        ("events/wait", .right), ("p50 × C", .right), ("rate × C", .right),
      ]), notes: notes(load))
    section.forEach(load, options) { (section, composition) in
      let rounds = options.rounds(load)
      let comparison = try Comparison(rounds: rounds) { kind, round in
        Terminal.progress(
          "\(load.rawValue) \(composition.transport.rawValue)/\(composition.poller.rawValue): "
            + "round \(round + 1) of \(rounds), \(kind == .swift ? "ours" : "C")")
        return try options.run(kind, connections: connections, size: size, messages: messages + warmUp) { setting in
          if load == .sameThread {
            return try SameThreadTask(kind: kind, size: size, messages: messages, warmUp: warmUp, setting: setting)
              .run(over: composition.transport, with: composition.poller)
          }
          if composition.transport == .udp {
            return try DatagramPingPong(
              kind: kind, composition: composition, size: size, messages: messages, warmUp: warmUp, setting: setting
            ).run(with: composition.poller)
          }
          return try EchoTask(
            kind: kind, composition: composition, connections: connections, size: size, messages: messages,
            warmUp: warmUp, setting: setting
          ).run(over: composition.transport, with: composition.poller)
        }
      }
      // If a run is too short to report its number of calls, there is nothing to check.
      if load != .sameThread, options.checksCalls, comparison.ours.allSatisfy({ $0.calls != nil }) {
        try section.checkCalls(composition, connections, size, options)
      }
      section.add("ours", comparison.ours, comparison, composition)
      section.add("C epoll", comparison.baseline, comparison, composition)
      section.add("C again", comparison.baselineAgain, comparison, composition)
    }
    section.noteCallChecks()
    section.noteShortRuns()
    return section
  }

  private static func title(_ load: LoadChoice, _ connections: Int) -> String {
    switch load {
    case .sameThread: "both ends on one thread, 1 connection"
    default: connections == 1 ? "1 connection" : "\(connections.grouped) connections"
    }
  }

  private static func notes(_ load: LoadChoice) -> [String] {
    var notes = [
      "Times are round trips in microseconds (not halved). Each connection has one message in flight (closed loop).",
      "max is the maximum of all rounds; the other columns are medians. Ratios compare with C in the same round:",
      "median [minimum maximum]. \"C again\" repeats the run of C; its ratios show the random variation here.",
    ]
    if load == .sameThread {
      notes.append("cpu, calls: of the whole loop, which is server and client. The C loop always uses epoll.")
    } else {
      notes.append(
        "cpu: user and system time of the server process. calls: system calls as counted by the server's loop.")
      notes.append("SocketKit with the row's poller generates the load for all rows. The C server always uses epoll.")
    }
    notes.append(
      "events/wait: events per wait of the server. A server with fewer events per wait makes more system calls.")
    return notes
  }

  /// Compares the servers' own counts of their system calls with the kernel's counts.
  private mutating func checkCalls(
    _ composition: Composition, _ connections: Int, _ size: Int, _ options: BenchOptions
  ) throws {
    for kind in [ServerKind.c, .swift] {
      Terminal.progress(
        "\(composition.transport.rawValue)/\(composition.poller.rawValue): counting the calls of \(kind.label)")
      let check = try options.run(kind, connections: connections, size: size, messages: 1000) { setting in
        let check =
          composition.transport == .udp
          ? try DatagramCallCheck(kind: kind, composition: composition, size: size, setting: setting)
            .run(with: composition.poller)
          : try EchoCallCheck(
            kind: kind, composition: composition, connections: connections, size: size, setting: setting
          ).run(over: composition.transport, with: composition.poller)
        try check?.judge()
        return check
      }
      noteCallCheck(check)
    }
  }

  private mutating func add(_ name: String, _ runs: [Run], _ comparison: Comparison, _ composition: Composition) {
    func middle(_ number: (Run) -> Double?) -> Double? { median(runs.map(number)) }
    func ratioOfMedians(_ number: (Run) -> Double?) -> Double? {
      guard let ours = middle(number), let theirs = median(comparison.baseline.map(number)) else { return nil }
      return ours / theirs
    }
    let p50 = comparison.ratios(of: runs, \.p50)
    let rate = comparison.ratios(of: runs, \.rate)
    let maximum = runs.map(\.maximum).max() ?? .nan
    let isReference = name == "C epoll"
    table.add([
      composition.transport.rawValue, composition.poller.rawValue, name, middle(\.p50).fixed(1), middle(\.p90).fixed(1),
      middle(\.p99).fixed(1), middle(\.p999).fixed(1), maximum.fixed(0), middle(\.rate).grouped,
      middle(\.cpu).fixed(2), middle(\.calls).fixed(2), middle(\.eventsPerWait).fixed(2),
      Self.text(p50, isReference: isReference), Self.text(rate, isReference: isReference),
    ])
    rows.append(
      composition.json + [
        "server": .string(name), "p50": .number(middle(\.p50)), "p90": .number(middle(\.p90)),
        "p99": .number(middle(\.p99)), "p99.9": .number(middle(\.p999)), "max": .number(maximum),
        "rate": .number(middle(\.rate)), "cpu": .number(middle(\.cpu)), "calls": .number(middle(\.calls)),
        "eventsPerWait": .number(middle(\.eventsPerWait)),
        "p50Ratio": Self.json(p50), "rateRatio": Self.json(rate),
        // The alternative comparison: the median of SocketKit's results divided by the median of the C server's
        // results.
        "p50RatioOfMedians": .number(ratioOfMedians(\.p50)), "rateRatioOfMedians": .number(ratioOfMedians(\.rate)),
        "runs": .array(runs.map(\.json)),
      ])
  }

  /// Formats a ratio as its median and its extremes, or as the median alone if there is only one round. The ratio of
  /// the reference is "1".
  static func text(_ numbers: [Double], isReference: Bool = false) -> String {
    guard let spread = Spread(numbers) else { return "-" }
    if isReference { return "1" }
    if numbers.count == 1 { return spread.median.fixed(3) }
    return "\(spread.median.fixed(3)) [\(spread.minimum.fixed(2)) \(spread.maximum.fixed(2))]"
  }

  static func json(_ numbers: [Double]) -> JSON {
    guard let spread = Spread(numbers) else { return .null }
    return ["median": .number(spread.median), "min": .number(spread.minimum), "max": .number(spread.maximum)]
  }
}
