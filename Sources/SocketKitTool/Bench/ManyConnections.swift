internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// Many connections at once on one server thread, each of which echoes.
struct HoldTask: CompositionTask {
  struct Outcome {
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
  let serverCPU: Int?

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Outcome {
    let server = try ServerProcess.start(kind, composition, connections: connections, cpu: serverCPU, lifetime: 60)
    let begin = csk_monotonic_nanoseconds()
    var client = try LoadGenerator<S, P>(to: server.address, connections: connections, size: size)
    let connecting = Double(csk_monotonic_nanoseconds() - begin) / 1e9
    var histogram = Histogram()
    let callsBefore = server.counters.calls
    let cpuBefore = try server.cpuTime()
    let elapsed = try client.run(messages, into: &histogram)
    let cpu = try server.cpuTime() - cpuBefore
    let calls = server.counters.calls - callsBefore
    return Outcome(
      peak: Int(server.counters.peak), connecting: connecting,
      run: Run(histogram, elapsed: elapsed, cpuPerMessage: Double(cpu) / Double(messages), calls: calls))
  }
}

/// Many connections, and nothing happens: what the server does all the same.
struct IdleTask: CompositionTask {
  struct Outcome {
    /// Times that the server's wait returned.
    let wakes: Int
    /// Times that it went to sleep, by the kernel's count.
    let sleeps: Int?
    /// CPU time in microseconds.
    let cpu: Double
    /// Whether the poller promises to sleep.
    let parks: Bool
  }
  let kind: ServerKind
  let composition: Composition
  let connections: Int
  let size: Int
  let seconds: Int
  let serverCPU: Int?

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> Outcome {
    let poller = try P(P.configuration(capacity: 1))
    let parks = kind == .c || poller.capabilities.contains(.parks)
    let server = try ServerProcess.start(kind, composition, connections: connections, cpu: serverCPU, lifetime: 60)
    var client = try LoadGenerator<S, P>(to: server.address, connections: connections, size: size)
    var ignored = Histogram()
    _ = try client.run(connections, into: &ignored)
    // The last reply comes before the server is back in its wait.
    sleep(milliseconds: 100)
    let wakesBefore = server.counters.returns
    let sleepsBefore = server.sleeps()
    let cpuBefore = try server.cpuTime()
    sleep(milliseconds: seconds * 1000)
    let cpu = Double(try server.cpuTime() - cpuBefore) / 1000
    var sleeps: Int?
    if let sleepsBefore, let sleepsAfter = server.sleeps() { sleeps = sleepsAfter - sleepsBefore }
    let wakes = Int(server.counters.returns - wakesBefore)
    return Outcome(wakes: wakes, sleeps: sleeps, cpu: cpu, parks: parks)
  }

  private func sleep(milliseconds: Int) {
    var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var rest = timespec()
    while nanosleep(&left, &rest) < 0 && errno == EINTR { left = rest }
  }
}
