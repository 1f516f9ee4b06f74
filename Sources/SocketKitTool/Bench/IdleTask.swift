internal import CSocketKit
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// Measures the activity of a server with many idle connections. Each connection echoes once before and once after the
/// measurement.
struct IdleTask: CompositionTask {
  let kind: ServerKind
  let composition: Composition
  let connections: Int
  let size: Int
  let milliseconds: Int
  /// The maximum time to wait for the server to become idle.
  let settling: Int
  let setting: RunSetting

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Idleness {
    let poller = try P(P.configuration(capacity: 1))
    let parks = kind == .c || poller.capabilities.contains(.parks)
    let server = try ServerProcess.start(kind, composition, connections: connections, setting: setting)
    return try server.under {
      var client = try LoadGenerator<S, P>(
        to: server.address, connections: connections, size: size, limit: setting.limit)
      var ignored = Histogram()
      _ = try client.run(connections, into: &ignored)
      try settle(server)
      let sleepsBefore = server.sleeps()
      let (_, use) = try server.use { sleep(milliseconds: milliseconds) }
      let sleepsAfter = server.sleeps()
      // Check that the server still runs and serves all connections: without them it would be idle too.
      _ = try client.run(connections, into: &ignored)
      try client.finish()
      guard let sleepsBefore, let sleepsAfter else {
        throw ToolError("cannot judge: /proc/\(server.process)/task does not say how often the server sleeps")
      }
      return Idleness(
        wakes: Int(use.waits), sleeps: sleepsAfter - sleepsBefore, cpu: Double(use.cpu) / 1000, parks: parks)
    }
  }

  /// Waits until the server is idle. The last reply arrives before the server waits again, and on a busy machine that
  /// may take some time.
  private func settle(_ server: borrowing ServerProcess) throws {
    for _ in 0..<max(1, settling / 50) {
      let before = (server.sleeps(), try server.cpuTime())
      sleep(milliseconds: 50)
      if before == (server.sleeps(), try server.cpuTime()) { return }
    }
  }

  private func sleep(milliseconds: Int) {
    var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var rest = timespec()
    while nanosleep(&left, &rest) < 0 && errno == EINTR { left = rest }
  }
}

/// The activity of a server during the idle period.
struct Idleness: Sendable {
  /// The number of times that the server's wait returned.
  let wakes: Int
  /// The number of times that its threads went to sleep, according to the kernel. A thread that sleeps throughout does
  /// so once, before the measurement.
  let sleeps: Int
  /// The CPU time in microseconds.
  let cpu: Double
  /// Whether the poller guarantees to sleep.
  let parks: Bool

  /// The CPU time permitted for a server that never woke, in microseconds: the kernel's own work on its behalf.
  static var allowedCPU: Double { 1000 }

  /// A description of the error, or nil if the server was idle.
  var complaint: String? {
    if !parks { return nil }
    if wakes > 0 { return "its wait returned" }
    if sleeps > 0 { return "it woke inside its wait" }
    if cpu > Self.allowedCPU { return "it did not sleep" }
    return nil
  }
}
