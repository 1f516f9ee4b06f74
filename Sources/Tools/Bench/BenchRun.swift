internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// Runs all loads of a command line in sequence.
struct BenchRun {
  private let options: BenchOptions
  private let print: (String) throws(ToolError) -> Void
  private(set) var sections: [Section] = []

  init(_ options: BenchOptions, print: @escaping (String) throws(ToolError) -> Void) {
    self.options = options
    self.print = print
  }

  /// Measures all loads and prints the results.
  /// - Returns: the exit status.
  mutating func run() throws -> Int32 {
    // Read the conditions first: pinning changes the set of usable CPUs.
    let conditions = Conditions(options)
    if let pins = options.pins {
      for cpu in [pins.server, pins.client] where bench_may_use(Int32(cpu)) < 0 {
        throw ToolError(
          "--pin: this process is not permitted to use cpu \(cpu); taskset -cp $$ lists the permitted cpus")
      }
      try checked(bench_pin(Int32(pins.client)), "pinning to cpu \(pins.client)")
    }
    _ = bench_raise_descriptor_limit()
    if !options.json { try print(conditions.text) }
    for load in options.loads {
      for size in options.sizes(load) {
        let section = try section(load, size)
        Terminal.endProgress()
        if !options.json { try print(section.text) }
        sections.append(section)
      }
    }
    let missing = missing
    if options.json {
      let report: JSON = [
        "conditions": conditions.json, "loads": .array(sections.map(\.json)),
        "failed": .bool(status != 0), "notMeasured": .array(missing.map { .string($0) }),
      ]
      try print(report.text + "\n")
    } else if !missing.isEmpty {
      try print("\nRequested but not measured: \(missing.joined(separator: ", "))\n")
    }
    return status
  }

  private func section(_ load: LoadChoice, _ size: Int) throws -> Section {
    switch load {
    case .pingpong, .fan, .sameThread: .latency(load, size: size, options)
    case .hold: .hold(size: size, options)
    case .idle: .idle(size: size, options)
    case .udpEcho: try .datagramEcho(size: size, options)
    }
  }

  private var status: Int32 { sections.contains(where: \.failed) || !missing.isEmpty ? 1 : 0 }

  /// The transports and pollers that the command line names and that no load has measured. Other transports and pollers
  /// are measured only if possible.
  private var missing: [String] {
    var names: [String] = []
    if options.namesTransports { names += options.transports.map(\.rawValue) }
    if options.namesPollers { names += options.pollers.map(\.rawValue) }
    let measured = sections.map(\.measured).reduce(into: Set()) { $0.formUnion($1) }
    return names.filter { !measured.contains($0) }
  }
}
