internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitCore
internal import SocketKitToolSupport

/// The time limit for one run of one server. When the time has passed, the server is killed and the client is woken. If
/// the server exits earlier, the client is woken soon afterwards. In both cases, this run fails and the next run can
/// start.
final class TimeLimit: Sendable {
  private struct State {
    var isOver = false
    var server: Int32?
    var wakers: [Waker] = []
    var descriptors: [Int32] = []
  }

  let seconds: Double
  private let state = Guarded(State())
  private init(_ seconds: Double) { self.seconds = seconds }

  /// Performs a run on a separate thread and waits until the run ends.
  /// - Parameter grace: the number of seconds that this method waits for the end of the run after the limit has passed.
  /// - Throws: the errors of the run; `ToolError` if the run exceeds the limit.
  static func run<R: Sendable>(
    seconds: Double, grace: Double = 5, _ body: @escaping @Sendable (TimeLimit) throws -> R
  ) throws -> R {
    let limit = TimeLimit(seconds)
    let thread = try TimedThread { try body(limit) }
    var text = "not finished within \(seconds.fixed(seconds < 10 ? 1 : 0)) s, so the server was killed"
    let end = csk_monotonic_nanoseconds() + Int64(seconds * 1e9)
    while true {
      let left = Double(end - csk_monotonic_nanoseconds()) / 1e9
      if let outcome = thread.outcome(within: max(0, min(left, 0.05))) { return try outcome.get() }
      if left <= 0 { break }
      // A datagram client would wait for a dead server until the limit passes.
      guard let serversEnd = limit.serversEnd else { continue }
      // Other clients detect the exit themselves and report more details.
      if let outcome = thread.outcome(within: 0.2) { return try outcome.get() }
      text = "the server \(serversEnd)"
      break
    }
    limit.expire()
    switch thread.outcome(within: grace) {
    case .failure(let error): throw ToolError("\(text): \(error)")
    case .success: throw ToolError(text)
    case nil:
      // A thread cannot be killed without killing the process, so only the server is killed.
      limit.reapServer()
      throw ToolError("\(text); the client's thread did not end and may use processor time during the next runs")
    }
  }

  var isOver: Bool { state.withLock { $0.isOver } }

  /// Kills this server when the limit passes.
  func watch(server: Int32) {
    state.withLock { state in
      state.server = server
      if state.isOver { _ = bench_kill(server) }
    }
  }

  /// Wakes this poller when the limit passes.
  func watch(_ waker: Waker) {
    state.withLock { state in
      state.wakers.append(waker)
      if state.isOver { waker.wake() }
    }
  }

  /// Shuts down the connections of these descriptors when the limit passes. The descriptors must stay open until
  /// ``forgetDescriptors()`` is called.
  func watch(descriptors: [Int32]) { state.withLock { $0.descriptors = descriptors } }
  func forgetDescriptors() { state.withLock { $0.descriptors = [] } }

  /// Kills and reaps the server. Holds the lock meanwhile, because the process ID of a reaped process may be reused.
  func end(server: Int32) {
    state.withLock { state in
      guard state.server == server else { return }
      _ = bench_end(server)
      state.server = nil
    }
  }

  /// How the server exited, or nil if it is running or if there is no server.
  private var serversEnd: String? { state.withLock { $0.server.flatMap(ServerProcess.end(of:)) } }

  private func expire() {
    state.withLock { state in
      state.isOver = true
      for waker in state.wakers { waker.wake() }
      if let server = state.server { _ = bench_kill(server) }
      for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private func reapServer() {
    state.withLock { state in
      if let server = state.server { _ = bench_end(server) }
      state.server = nil
    }
  }
}
