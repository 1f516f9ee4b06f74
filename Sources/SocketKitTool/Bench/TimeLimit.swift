internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// The time that one run of one server may take. It is over early when the server ends. Then the server is killed and
/// the client is woken, so that the run fails and the next one begins.
final class TimeLimit: Sendable {
  private struct State {
    var isOver = false
    var server: Int32?
    var wakers: [Waker] = []
    var descriptors: [Int32] = []
  }

  let seconds: Double
  private let state = Locked(State())
  private init(_ seconds: Double) { self.seconds = seconds }

  /// Does a run on a thread of its own and waits for its end.
  /// - Parameter grace: seconds that the run may take to notice that the time is over.
  /// - Throws: what the run throws; `ToolError` when it takes too long.
  static func run<R: Sendable>(
    seconds: Double, grace: Double = 5, _ body: @escaping @Sendable (TimeLimit) throws -> R
  ) throws -> R {
    let limit = TimeLimit(seconds)
    let thread = try TimedThread { try body(limit) }
    var text = "not finished within \(seconds.fixed(seconds < 10 ? 1 : 0)) s; the server was killed"
    let end = csk_monotonic_nanoseconds() + Int64(seconds * 1e9)
    while true {
      let left = Double(end - csk_monotonic_nanoseconds()) / 1e9
      if let outcome = thread.outcome(within: max(0, min(left, 0.05))) { return try outcome.get() }
      if left <= 0 { break }
      // A client of datagrams would wait for a dead server until the time is over.
      guard let serversEnd = limit.serversEnd else { continue }
      // Others notice, and say more.
      if let outcome = thread.outcome(within: 0.2) { return try outcome.get() }
      text = "the server \(serversEnd)"
      break
    }
    limit.expire()
    switch thread.outcome(within: grace) {
    case .failure(let error): throw ToolError("\(text): \(error)")
    case .success: throw ToolError(text)
    case nil:
      // The thread cannot be killed without the process. It has nothing more to talk to.
      limit.reapServer()
      throw ToolError("\(text), and the client hangs: results below this line share the cpu with it")
    }
  }

  var isOver: Bool { state.withLock { $0.isOver } }

  /// Kills this server when the time is over.
  func watch(server: Int32) {
    state.withLock { state in
      state.server = server
      if state.isOver { _ = bench_kill(server) }
    }
  }

  /// Wakes this poller when the time is over.
  func watch(_ waker: Waker) {
    state.withLock { state in
      state.wakers.append(waker)
      if state.isOver { waker.wake() }
    }
  }

  /// Ends the connections of these descriptors when the time is over. They must be open until ``forgetDescriptors()``.
  func watch(descriptors: [Int32]) { state.withLock { $0.descriptors = descriptors } }
  func forgetDescriptors() { state.withLock { $0.descriptors = [] } }

  /// Kills the server and takes its remains away. Under the lock: its number may then belong to another process.
  func end(server: Int32) {
    state.withLock { state in
      guard state.server == server else { return }
      _ = bench_end(server)
      state.server = nil
    }
  }

  /// How the server has ended; nil while it runs, and when there is none.
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
