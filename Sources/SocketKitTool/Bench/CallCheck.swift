internal import CSocketKitBaseline
internal import Glibc
internal import SocketKitToolSupport

/// Whether a server's loop counts its system calls as the kernel does. A run of its own, because a traced server is
/// slow.
struct CallCheck: Sendable {
  /// What the server's loop counted.
  let counted: UInt64
  /// What the kernel counted.
  let kernel: UInt64

  /// Puts a load on a server twice, and counts during the second time.
  /// - Returns: nil when this process may not trace the server.
  static func of(
    _ server: borrowing ServerProcess, _ limit: TimeLimit, _ load: () throws -> Void
  ) throws -> CallCheck? {
    let trace = Trace()
    let process = server.process
    let thread = try TimedThread { bench_trace(process, trace.state) }
    var outcome: Int32?
    defer {
      // The thread must have let go before the server is ended.
      bench_stop_trace(trace.state)
      if outcome == nil { _ = thread.outcome(within: 5) }
    }
    while bench_is_tracing(trace.state) == 0 {
      if let ended = thread.outcome(within: 0) {
        outcome = try ended.get()
        return nil
      }
      if limit.isOver { throw ToolError("the server cannot be traced") }
      usleep(1000)
    }
    // The first time, because to be traced ends a wait, and some loops wait again without counting.
    try load()
    // On a busy machine a server may seem to rest in the middle of its work: what differs is counted again, with more
    // patience.
    var check = try count(server, trace, samples: 5, load)
    if check.counted != check.kernel { check = try count(server, trace, samples: 75, load) }
    return check
  }

  /// - Parameter samples: counts in a row, 2 ms apart, that must be the same before the server is taken to rest.
  private static func count(
    _ server: borrowing ServerProcess, _ trace: Trace, samples: Int, _ load: () throws -> Void
  ) throws -> CallCheck {
    let before = rest(server, trace, samples)
    try load()
    let after = rest(server, trace, samples)
    return CallCheck(counted: after.counted &- before.counted, kernel: after.kernel &- before.kernel)
  }

  /// - Throws: when the two differ.
  func judge() throws {
    if counted == kernel { return }
    throw ToolError("the server counted \(counted) system calls where the kernel counted \(kernel)")
  }

  /// The counts when the server is back in its wait.
  private static func rest(
    _ server: borrowing ServerProcess, _ trace: Trace, _ samples: Int
  ) -> (counted: UInt64, kernel: UInt64) {
    var last = (server.counters.calls, bench_traced_calls(trace.state))
    var same = 0
    for _ in 0..<1000 where same < samples {
      usleep(2000)
      let now = (server.counters.calls, bench_traced_calls(trace.state))
      same = now == last ? same + 1 : 0
      last = now
    }
    return last
  }

  /// The count that two threads share.
  private final class Trace: @unchecked Sendable {
    let state: UnsafeMutablePointer<bench_trace>
    init() {
      state = .allocate(capacity: 1)
      state.initialize(to: bench_trace())
    }
    deinit { state.deallocate() }
  }
}

/// Checks the servers of ping-pong and fan.
struct EchoCallCheck: CompositionTask {
  let kind: ServerKind
  let composition: Composition
  let connections: Int
  let size: Int
  let setting: RunSetting

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws -> CallCheck? {
    let server = try ServerProcess.start(kind, composition, connections: connections, setting: setting)
    return try server.under {
      var client = try LoadGenerator<S, P>(
        to: server.address, connections: connections, size: size, limit: setting.limit)
      var ignored = Histogram()
      return try CallCheck.of(server, setting.limit) { _ = try client.run(max(50, 2 * connections), into: &ignored) }
    }
  }
}
