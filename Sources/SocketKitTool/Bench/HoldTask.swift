internal import CSocketKit
internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// Many connections at once on one server thread, each of which echoes.
struct HoldTask: CompositionTask {
  struct Outcome: Sendable {
    /// The most connections that the server had at once.
    let peak: Int
    /// Seconds to connect them all, one after the other.
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
