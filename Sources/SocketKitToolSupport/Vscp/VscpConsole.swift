public import SocketKitCore
internal import Glibc

/// Where vscp reads, writes and talks: the process's own descriptors, or a test's.
public struct VscpConsole: Sendable {
  /// Data is read from here where no file is named.
  public var input = RawDescriptor(0)
  /// Data is written here where no file is named.
  public var output = RawDescriptor(1)
  /// Takes all talk.
  public var say: @Sendable (String) -> Void
  /// Whether somebody watches, so that progress is shown.
  public var isWatched = false
  /// The time as it stands in front of a line: `2006/01/02 15:04:05 `.
  public var stamp: @Sendable () -> String = { VscpConsole.localTime() }

  public init(say: @escaping @Sendable (String) -> Void) { self.say = say }

  /// A line of the log, as Go's package log writes it.
  func log(_ text: String) { say((isWatched ? Self.clearLine : "") + stamp() + text + "\n") }

  /// A line that the next one replaces; only where somebody watches.
  func progress(_ text: String) {
    if isWatched { say(Self.clearLine + text) }
  }

  private static var clearLine: String { "\r\u{1b}[K" }

  private static func localTime() -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    func padded(_ number: Int32, _ width: Int = 2) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
    return "\(padded(parts.tm_year + 1900, 4))/\(padded(parts.tm_mon + 1))/\(padded(parts.tm_mday)) "
      + "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec)) "
  }
}

/// The log of one end: `receive: …` or `send: …`.
struct VscpLog {
  let console: VscpConsole
  let role: VscpOptions.Role
  let isVerbose: Bool

  /// Only with -v.
  func detail(_ text: String) {
    if isVerbose { console.log("\(role): \(text)") }
  }
  func always(_ text: String) { console.log("\(role): \(text)") }
}

/// What ends a run with status 1, after a line in the log: `vscp: receive: failed to listen: …`.
struct VscpFailure: Error {
  let action: String
  let reason: String

  init(_ action: String, _ reason: any Error) {
    self.action = action
    self.reason = "\(reason)"
  }
  init(_ action: String, text: String) {
    self.action = action
    reason = text
  }
}
