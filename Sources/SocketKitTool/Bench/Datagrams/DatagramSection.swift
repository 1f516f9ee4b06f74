internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Section {
  /// udp-echo: how many datagrams a server echoes a second, by what it asks of the kernel.
  static func datagramEcho(size: Int, _ options: BenchOptions) throws -> Section {
    let first = Int(try checked(bench_first_cpu(), "reading which cpus may be used"))
    let pins = options.pins ?? (first, first)
    let onOne = pins.server == pins.client
    let places = onOne ? "both sides on cpu \(pins.server)" : "server on cpu \(pins.server), load on cpu \(pins.client)"
    var section = Section(
      title: "udp-echo: \(size) bytes, \(places)\(options.pins == nil ? ", unless --pin says otherwise" : "")",
      parameters: parameters(.udpEcho, connections: 1, size: size, messages: options.echoDatagrams ?? 0)
        + [
          JSON.Member("serverCPU", .integer(Int64(pins.server))), JSON.Member("loadCPU", .integer(Int64(pins.client))),
        ],
      table: Table([
        ("calls", .left), ("server", .left), ("datagrams/s", .right), ("cpu ns", .right), ("load ns", .right),
        ("calls/dgram", .right), ("lost", .right), ("rate × C same calls", .right), ("rate × C recvfrom", .right),
      ]), notes: [])
    do {
      try checked(bench_pin(Int32(pins.client)), "pinning to cpu \(pins.client)")
      if onOne { try checked(bench_take_turns(1), "taking turns") }
      defer {
        bench_unpin()
        _ = bench_take_turns(0)
        if let pins = options.pins { _ = bench_pin(Int32(pins.client)) }
      }
      let runs = try DatagramRuns(size: size, options, serverCPU: pins.server, takesTurns: onOne)
      section.notes = notes(runs, onOne)
      for cell in DatagramCell.all { section.add(cell, runs) }
    } catch {
      section.addFailure(Composition(transport: .udp, poller: .epoll), error)
    }
    return section
  }

  private static func notes(_ runs: DatagramRuns, _ onOne: Bool) -> [String] {
    let one = runs[DatagramCell.all[0]].first
    var notes = [
      "One load generator for all rows: it sends bursts of \(one?.burst ?? 0) datagrams as one message (UDP_SEGMENT),"
        + " receives many with",
      "one call, and has at most \(one?.window ?? 0) datagrams on their way. recvfrom/sendto: until nothing is left, then a"
        + " wait; \"wait,\":",
      "a wait for each datagram. cpu: the server's, load:",
      "the generator's, user and system, in nanoseconds a datagram. calls/dgram: the server's. lost: datagrams of all",
      "rounds that never came back. Medians; ratios are within a round, with the extremes in brackets. All with epoll.",
    ]
    if onOne {
      notes.append(
        "Neither side takes the cpu from the other (SCHED_BATCH): each works until it has nothing to do, and the")
      notes.append("rate is what both cost together.")
    }
    return notes
  }

  private mutating func add(_ cell: DatagramCell, _ all: DatagramRuns) {
    func median(_ number: (DatagramRun) -> Double) -> Double { Spread(all[cell].map(number))?.median ?? .nan }
    let name = cell.kind == .swift ? "ours" : cell.isAgain ? "C again" : "C"
    let same = all.ratios(cell, to: DatagramCell(kind: .c, way: cell.way))
    let plain = all.ratios(cell, to: DatagramCell(kind: .c, way: .plain))
    let lost = all[cell].map(\.lost).reduce(0, +)
    table.add([
      cell.way.calls, name, Int(median(\.rate)).grouped, median(\.cpu).fixed(0), median(\.loadCPU).fixed(0),
      median(\.calls).fixed(3), lost.grouped, Self.text(same), Self.text(plain),
    ])
    rows.append([
      "way": .string(cell.way.rawValue), "server": .string(name), "rate": .number(median(\.rate)),
      "cpu": .number(median(\.cpu) / 1000), "loadCPU": .number(median(\.loadCPU) / 1000),
      "calls": .number(median(\.calls)), "lost": .integer(Int64(lost)), "rateRatio": Self.json(same),
      "rateToPlain": Self.json(plain), "runs": .array(all[cell].map(\.json)),
    ])
  }
}

/// The runs of all servers, interleaved.
struct DatagramRuns: Sendable {
  private var runs = [[DatagramRun]](repeating: [], count: DatagramCell.all.count)

  /// Each round has every server once; a round begins with another one than the round before.
  init(size: Int, _ options: BenchOptions, serverCPU: Int, takesTurns: Bool) throws {
    let cells = DatagramCell.all
    for round in 0..<options.rounds {
      for step in cells.indices {
        let place = (step + 2 * round) % cells.count
        Terminal.progress(
          "udp-echo \(size) bytes: round \(round + 1) of \(options.rounds), \(cells[place].way.rawValue), "
            + (cells[place].kind == .swift ? "ours" : "C"))
        runs[place].append(
          try cells[place].run(
            size: size, nanoseconds: options.echoDatagrams == nil ? 250_000_000 : .max,
            datagrams: options.echoDatagrams ?? .max, serverCPU: serverCPU, takesTurns: takesTurns))
      }
    }
  }

  subscript(cell: DatagramCell) -> [DatagramRun] {
    DatagramCell.all.firstIndex(of: cell).map { runs[$0] } ?? []
  }

  /// The rates of one server divided by another's in the same round.
  func ratios(_ cell: DatagramCell, to other: DatagramCell) -> [Double] {
    zip(self[cell], self[other]).map { $0.rate / $1.rate }
  }
}
