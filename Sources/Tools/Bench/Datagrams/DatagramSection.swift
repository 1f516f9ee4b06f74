internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Section {
  /// Measures udp-echo: the number of datagrams that a server echoes per second, for each set of system calls.
  static func datagramEcho(size: Int, _ options: BenchOptions) throws -> Section {
    let first = Int(try checked(bench_first_cpu(), "reading the permitted cpus"))
    let pins = options.pins ?? (first, first)
    let onOne = pins.server == pins.client
    let places = onOne ? "both sides on cpu \(pins.server)" : "server on cpu \(pins.server), load on cpu \(pins.client)"
    var section = Section(
      title: "udp-echo: \(size) bytes, \(places)\(options.pins == nil ? " (change this with --pin)" : "")",
      parameters: parameters(.udpEcho, connections: 1, size: size, messages: options.echoDatagrams ?? 0)
        + [
          JSON.Member("serverCPU", .integer(Int64(pins.server))), JSON.Member("loadCPU", .integer(Int64(pins.client))),
        ],
      table: Table([
        ("poller", .left), ("calls", .left), ("server", .left), ("datagrams/s", .right), ("cpu ns", .right),
        ("load ns", .right), ("calls/dgram", .right), ("events/wait", .right), ("rate × C same calls", .right),
        ("rate × C recvfrom", .right),
      ]), notes: [])
    try checked(bench_pin(Int32(pins.client)), "pinning to cpu \(pins.client)")
    if onOne { try checked(bench_take_turns(1), "setting SCHED_BATCH") }
    defer {
      bench_unpin()
      _ = bench_take_turns(0)
      if let pins = options.pins { _ = bench_pin(Int32(pins.client)) }
    }
    section.forEach(.udpEcho, options) { (section, composition) in
      let runs = DatagramRuns(composition.poller, size: size, options, serverCPU: pins.server, takesTurns: onOne)
      section.notes = notes(runs, onOne)
      for cell in runs.cells { section.add(cell, runs, composition) }
      for check in runs.checks { section.noteCallCheck(check) }
    }
    section.noteCallChecks()
    section.noteShortRuns()
    return section
  }

  private static func notes(_ runs: DatagramRuns, _ onOne: Bool) -> [String] {
    let one = runs.cells.compactMap { runs[$0].first }.first
    let (burst, window) = (one.map { "\($0.burst)" } ?? "-", one.map { "\($0.window)" } ?? "-")
    var notes = [
      "One load generator with epoll serves all rows. It sends bursts of \(burst) datagrams as one message",
      "(UDP_SEGMENT), receives many datagrams with one call, and has at most \(window) datagrams in flight. Each",
      "datagram has a number; a row fails if a datagram is lost, changed or duplicated. recvfrom/sendto: one wait,",
      "then calls until the queue is empty. \"wait, …\": one wait for each datagram. cpu: of the server; load: of the",
      "load generator; user and system time, in ns per datagram. calls/dgram: as counted by the server's loop.",
      "Numbers are medians. Ratios compare runs of the same round: median [minimum maximum]. The C server always",
      "uses epoll. SocketKit's server uses epoll too, unless --poller selects another poller.",
    ]
    if onOne {
      notes.append(
        "Neither side preempts the other (SCHED_BATCH): each runs until it has nothing to do. The rate reflects the")
      notes.append("cost of both sides together.")
    }
    return notes
  }

  private mutating func add(_ cell: DatagramCell, _ all: DatagramRuns, _ composition: Composition) {
    if let error = all.failures[cell] {
      failed = true
      table.add([composition.poller.rawValue, cell.way.calls, cell.label, "failed: \(error)"])
      rows.append(
        composition.json + [
          "way": .string(cell.way.rawValue), "server": .string(cell.label), "failed": .string(error),
        ])
      return
    }
    func middle(_ number: (DatagramRun) -> Double?) -> Double? { median(all[cell].map(number)) }
    let same = all.ratios(cell, to: DatagramCell(kind: .c, way: cell.way))
    let plain = all.ratios(cell, to: DatagramCell(kind: .c, way: .plain))
    let isReference = cell.kind == .c && !cell.isAgain
    table.add([
      composition.poller.rawValue, cell.way.calls, cell.label, middle(\.rate).grouped, middle(\.cpu).fixed(0),
      middle(\.loadCPU).fixed(0), middle(\.calls).fixed(3), middle(\.eventsPerWait).fixed(2),
      Self.text(same, isReference: isReference), Self.text(plain, isReference: isReference && cell.way == .plain),
    ])
    rows.append(
      composition.json + [
        "way": .string(cell.way.rawValue), "server": .string(cell.label), "rate": .number(middle(\.rate)),
        "cpu": .number(middle(\.cpu).map { $0 / 1000 }), "loadCPU": .number(middle(\.loadCPU).map { $0 / 1000 }),
        "calls": .number(middle(\.calls)), "eventsPerWait": .number(middle(\.eventsPerWait)),
        "rateRatio": Self.json(same), "rateToPlain": Self.json(plain), "runs": .array(all[cell].map(\.json)),
      ])
  }
}

/// The interleaved runs of all servers.
struct DatagramRuns: Sendable {
  let cells: [DatagramCell]
  private var runs: [DatagramCell: [DatagramRun]] = [:]
  /// The failures of servers that could not be measured completely.
  private(set) var failures: [DatagramCell: String] = [:]
  /// The call checks of the servers. An element is nil if the server could not be traced.
  private(set) var checks: [CallCheck?] = []

  /// Runs every server once per round. Each round starts with a different server and reverses the order of the previous
  /// round.
  init(_ poller: PollerChoice, size: Int, _ options: BenchOptions, serverCPU: Int, takesTurns: Bool) {
    cells = DatagramCell.all(options.ways)
    let rounds = options.rounds(.udpEcho)
    for round in 0..<rounds {
      for step in cells.indices {
        let place = (step + 2 * round) % cells.count
        let cell = cells[round % 2 == 0 ? place : cells.count - 1 - place]
        // Do not run a server again after it failed: another failure would take as long as the first.
        if failures[cell] != nil { continue }
        Terminal.progress(
          "udp-echo \(size) bytes, \(poller.rawValue): round \(round + 1) of \(rounds), \(cell.way.rawValue), "
            + cell.label)
        do {
          let run = try options.run(
            cell.kind, connections: 1, size: size, messages: options.echoDatagrams ?? 0, cpu: serverCPU
          ) { setting in
            try DatagramEchoTask(
              cell: cell, poller: poller, size: size,
              nanoseconds: options.echoDatagrams == nil ? 250_000_000 : .max,
              datagrams: options.echoDatagrams ?? .max, takesTurns: takesTurns, setting: setting
            ).run()
          }
          runs[cell, default: []].append(run)
        } catch {
          failures[cell] = "\(error)"
        }
      }
    }
    // If a run is too short to report its number of calls, there is nothing to check.
    for cell in cells
    where options.checksCalls && failures[cell] == nil && !cell.isAgain && self[cell].allSatisfy({ $0.calls != nil }) {
      Terminal.progress("udp-echo \(size) bytes, \(poller.rawValue): counting the calls of \(cell.label)")
      do {
        let check = try options.run(cell.kind, connections: 1, size: size, messages: 2000, cpu: serverCPU) { setting in
          let check = try DatagramEchoTask(
            cell: cell, poller: poller, size: size, nanoseconds: .max, datagrams: 300, takesTurns: takesTurns,
            setting: setting
          ).check()
          try check?.judge()
          return check
        }
        checks.append(check)
      } catch {
        failures[cell] = "\(error)"
      }
    }
  }

  subscript(cell: DatagramCell) -> [DatagramRun] { runs[cell] ?? [] }

  /// Divides the rates of one server by those of another server in the same round. Returns an empty array if a run of
  /// either server is too short.
  func ratios(_ cell: DatagramCell, to other: DatagramCell) -> [Double] {
    let (these, those) = (self[cell].map(\.rate), self[other].map(\.rate))
    if failures[cell] != nil || failures[other] != nil { return [] }
    var ratios: [Double] = []
    for (rate, reference) in zip(these, those) {
      guard let rate, let reference else { return [] }
      ratios.append(rate / reference)
    }
    return ratios
  }
}
