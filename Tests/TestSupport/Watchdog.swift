internal import Glibc
internal import SocketKitCore

/// Ends the process when a test does not end: it names the test, and its threads can be seen in the crash report. Swift
/// Testing's own time limits cannot end a call that blocks its thread.
///
/// The limit is 300 seconds, or SOCKETKIT_TEST_LIMIT.
final class Watchdog: Sendable {
  static let shared = Watchdog()
  private let limit: Double
  private let current = Guarded((name: "", deadline: Double.infinity))

  private init() {
    limit = environmentVariable("SOCKETKIT_TEST_LIMIT").flatMap { Double($0) } ?? 300
    _ = spawn { [self] in
      while true {
        sleep(1)
        if let name = overdue() {
          let message = Array("\(name) has not ended within \(Int(limit)) seconds.\n".utf8)
          // The array outlives the call.
          _ = unsafe write(2, message, message.count)
          abort()
        }
      }
    }
  }

  func begin(_ name: String) { current.withLock { $0 = (name, milliseconds() + limit * 1000) } }
  func end() { current.withLock { $0 = ("", .infinity) } }

  private func overdue() -> String? {
    current.withLock { milliseconds() > $0.deadline ? $0.name : nil }
  }
}
