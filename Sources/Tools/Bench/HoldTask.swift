internal import CSocketKit
internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// Opens many simultaneous connections to one server thread and exchanges at least one message on each.
struct HoldTask: CompositionTask {
  struct Outcome: Sendable {
    /// The maximum number of simultaneous connections of the server.
    let peak: Int
    /// The time to establish all connections sequentially, in seconds.
    let connecting: Double
    let run: Run
  }
  let kind: ServerKind
  let composition: Composition
  let connections: Int
  let size: Int
  let messages: Int
  let setting: RunSetting

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Outcome {
    let server = try ServerProcess.start(kind, composition, connections: connections, setting: setting)
    return try server.under {
      let begin = csk_monotonic_nanoseconds()
      var client = try LoadGenerator<S, P>(
        to: server.address, connections: connections, size: size, limit: setting.limit)
      let connecting = Double(csk_monotonic_nanoseconds() - begin) / 1e9
      var histogram = Histogram()
      let (elapsed, use) = try server.use { try client.run(messages, into: &histogram) }
      let peak = Int(server.counters.peak)
      try client.finish()
      return Outcome(peak: peak, connecting: connecting, run: Run(histogram, elapsed: elapsed, use: use))
    }
  }
}
