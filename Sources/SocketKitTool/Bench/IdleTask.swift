internal import CSocketKit
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// Many connections, and nothing happens: what the server does all the same. Each connection echoes before and after.
struct IdleTask: CompositionTask {
  let kind: ServerKind
  let composition: Composition
  let connections: Int
  let size: Int
  let milliseconds: Int
  /// The longest wait for a server to come to rest.
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
      // A server that has died, or has forgotten a connection, was idle too.
      _ = try client.run(connections, into: &ignored)
      try client.finish()
      guard let sleepsBefore, let sleepsAfter else {
        throw ToolError("cannot judge: /proc/\(server.process)/task does not say how often the server sleeps")
      }
      return Idleness(
        wakes: Int(use.waits), sleeps: sleepsAfter - sleepsBefore, cpu: Double(use.cpu) / 1000, parks: parks)
    }
  }

  /// The last reply comes before the server is back in its wait: on a busy machine it may take a while to get there.
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

/// What a server did while nothing happened.
struct Idleness: Sendable {
  /// Times that the server's wait returned.
  let wakes: Int
  /// Times that its threads went to sleep, by the kernel's count. One that sleeps all the time does so before.
  let sleeps: Int
  /// CPU time in microseconds.
  let cpu: Double
  /// Whether the poller promises to sleep.
  let parks: Bool

  /// CPU time that a server which never woke may have: what the kernel did on its behalf.
  static var allowedCPU: Double { 1000 }

  /// What is wrong with it; nil when nothing is.
  var complaint: String? {
    if !parks { return nil }
    if wakes > 0 { return "its wait returned" }
    if sleeps > 0 { return "it woke inside its wait" }
    if cpu > Self.allowedCPU { return "it did not sleep" }
    return nil
  }
}
