internal import SocketKitToolSupport

/// Ping-pong and fan, with the server in its own process and the load generator in this process.
struct EchoTask: CompositionTask {
  let kind: ServerKind
  let composition: Composition
  let connections: Int
  let size: Int
  let messages: Int
  let warmUp: Int
  let setting: RunSetting

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Run {
    let server = try ServerProcess.start(kind, composition, connections: connections, setting: setting)
    return try server.under {
      var client = try LoadGenerator<S, P>(
        to: server.address, connections: connections, size: size, limit: setting.limit)
      var ignored = Histogram()
      _ = try client.run(warmUp, into: &ignored)
      var histogram = Histogram()
      let (elapsed, use) = try server.use { try client.run(messages, into: &histogram) }
      try client.finish()
      return Run(histogram, elapsed: elapsed, use: use)
    }
  }
}
