internal import Glibc

/// Ends the process when a test does not end: it names the test, and its threads can be seen in the crash report. Swift
/// Testing's own time limits cannot end a call that blocks its thread.
///
/// The limit is 300 seconds, or SOCKETKIT_TEST_LIMIT.
final class Watchdog: @unchecked Sendable {
  static let shared = Watchdog()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let limit: Double
  private var name = ""
  private var deadline = Double.infinity

  private init() {
    limit = getenv("SOCKETKIT_TEST_LIMIT").flatMap { Double(String(cString: $0)) } ?? 300
    pthread_mutex_init(mutex, nil)
    _ = spawn { [self] in
      while true {
        sleep(1)
        if let name = overdue() {
          let message = "\(name) has not ended within \(Int(limit)) seconds.\n"
          _ = write(2, message, message.utf8.count)
          abort()
        }
      }
    }
  }

  func begin(_ name: String) { set(name, milliseconds() + limit * 1000) }
  func end() { set("", .infinity) }

  private func set(_ name: String, _ deadline: Double) {
    pthread_mutex_lock(mutex)
    self.name = name
    self.deadline = deadline
    pthread_mutex_unlock(mutex)
  }

  private func overdue() -> String? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return milliseconds() > deadline ? name : nil
  }
}
