internal import CSocketKit
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// Measures the activity of a server with many idle connections. The server echoes one message on each connection
/// before the measurement, and one message after it.
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
      // Check that the server still runs and serves all connections: a server without connections would also be idle.
      _ = try client.run(connections, into: &ignored)
      try client.finish()
      guard let sleepsBefore, let sleepsAfter else {
        throw ToolError(
          "no result: /proc/\(server.process)/task does not contain the number of times that the server slept")
      }
      return Idleness(
        wakes: Int(use.waits), sleeps: sleepsAfter - sleepsBefore, cpu: Double(use.cpu) / 1000, parks: parks)
    }
  }

  /// Waits until the server is idle. The last reply arrives before the server waits again, and on a busy machine the
  /// server may reach its wait much later.
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
    // The kernel accesses both times only during the call.
    while unsafe nanosleep(&left, &rest) < 0 && errno == EINTR { left = rest }
  }
}

/// The activity of a server during the idle period.
struct Idleness: Sendable {
  /// The number of times that the server's wait returned.
  let wakes: Int
  /// The number of times that the server's threads went to sleep, according to the kernel. A thread that goes to sleep
  /// before the measurement and sleeps until its end is not counted.
  let sleeps: Int
  /// The CPU time in microseconds.
  let cpu: Double
  /// Whether the poller guarantees to sleep.
  let parks: Bool

  /// The permitted CPU time of a server that never woke, in microseconds. The kernel charges some of its own work to
  /// the server.
  static var allowedCPU: Double { 1000 }

  /// A description of the error, or nil if the server was idle.
  var complaint: String? {
    if !parks { return nil }
    if wakes > 0 { return "the server's wait returned" }
    if sleeps > 0 { return "the server woke up inside its wait" }
    if cpu > Self.allowedCPU { return "the server did not sleep" }
    return nil
  }
}
