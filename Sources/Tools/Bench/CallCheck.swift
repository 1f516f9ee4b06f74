internal import CSocketKitBaseline
internal import Glibc
internal import SocketKitToolSupport

/// Compares a server's own count of its system calls with the kernel's count. This check is a separate run, because
/// tracing makes the server slow.
struct CallCheck: Sendable {
  /// The number of calls that the server's loop counted.
  let counted: UInt64
  /// The number of calls that the kernel counted.
  let kernel: UInt64

  /// Applies a load to a server twice, and counts the calls during the second load.
  /// - Returns: nil if this process is not permitted to trace the server.
  static func of(
    _ server: borrowing ServerProcess, _ limit: TimeLimit, _ load: () throws -> Void
  ) throws -> CallCheck? {
    let trace = Trace()
    let process = server.process
    let thread = try TimedThread { trace.run(process) }
    var outcome: Int32?
    defer {
      // The tracing thread must detach before the server is killed.
      trace.stop()
      if outcome == nil { _ = thread.outcome(within: 5) }
    }
    while !trace.isRunning {
      if let ended = thread.outcome(within: 0) {
        outcome = try ended.get()
        return nil
      }
      if limit.isOver { throw ToolError("the server cannot be traced") }
      usleep(1000)
    }
    // Do not count the first load: attaching the tracer interrupts a wait, and some loops wait again without counting
    // the call.
    try load()
    // On a busy machine a server may appear idle while it still works. If the counts differ, count again with more
    // samples.
    var check = try count(server, trace, samples: 5, load)
    if check.counted != check.kernel { check = try count(server, trace, samples: 75, load) }
    return check
  }

  /// - Parameter samples: the number of equal consecutive counts, 2 ms apart, after which the server is considered
  ///   idle.
  private static func count(
    _ server: borrowing ServerProcess, _ trace: Trace, samples: Int, _ load: () throws -> Void
  ) throws -> CallCheck {
    let before = rest(server, trace, samples)
    try load()
    let after = rest(server, trace, samples)
    return CallCheck(counted: after.counted &- before.counted, kernel: after.kernel &- before.kernel)
  }

  /// - Throws: if the two counts differ.
  func judge() throws {
    if counted == kernel { return }
    throw ToolError("the server counted \(counted) system calls, but the kernel counted \(kernel)")
  }

  /// Waits until the server is idle again, and returns the counts.
  private static func rest(
    _ server: borrowing ServerProcess, _ trace: Trace, _ samples: Int
  ) -> (counted: UInt64, kernel: UInt64) {
    var last = (server.counters.calls, trace.calls)
    var same = 0
    for _ in 0..<1000 where same < samples {
      usleep(2000)
      let now = (server.counters.calls, trace.calls)
      same = now == last ? same + 1 : 0
      last = now
    }
    return last
  }

  /// The count, shared by two threads.
  @safe
  private final class Trace: @unchecked Sendable {
    // The memory exists as long as this object exists. Each of the two threads retains the object. The functions access
    // the state atomically.
    private let state: UnsafeMutablePointer<bench_trace>
    init() {
      unsafe state = .allocate(capacity: 1)
      unsafe state.initialize(to: bench_trace())
    }
    deinit { unsafe state.deallocate() }

    /// Counts the system calls of a process until another thread calls ``stop()``.
    func run(_ process: Int32) -> Int32 { unsafe bench_trace(process, state) }
    func stop() { unsafe bench_stop_trace(state) }
    var isRunning: Bool { unsafe bench_is_tracing(state) != 0 }
    var calls: UInt64 { unsafe bench_traced_calls(state) }
  }
}

/// Checks the call counts of the ping-pong and fan servers.
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
