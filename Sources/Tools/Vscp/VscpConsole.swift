public import SocketKitCore

/// The input and output of vscp: the descriptors of the process or, in tests, other descriptors.
public struct VscpConsole: Sendable {
  /// The descriptor from which data is read if no file is named.
  public var input = RawDescriptor(0)
  /// The descriptor to which data is written if no file is named.
  public var output = RawDescriptor(1)
  /// Outputs a message.
  public var say: @Sendable (String) -> Void
  /// Whether the messages go to a terminal; if so, progress is shown.
  public var isWatched = false
  /// Returns the timestamp at the start of a log line: `2006/01/02 15:04:05 `.
  public var stamp: @Sendable () -> String = { VscpConsole.localTime() }

  public init(say: @escaping @Sendable (String) -> Void) { self.say = say }

  /// Writes a log line in the format of Go's package log.
  func log(_ text: String) { say((isWatched ? Self.clearLine : "") + stamp() + text + "\n") }

  /// Shows a line that the next line replaces, if the messages go to a terminal.
  func progress(_ text: String) {
    if isWatched { say(Self.clearLine + text) }
  }

  private static var clearLine: String { "\r\u{1b}[K" }

  private static func localTime() -> String {
    let now = CalendarTime.now(.local)
    return "\(now.date("/")) \(now.time) "
  }
}

/// The log of one role: `receive: …` or `send: …`.
struct VscpLog {
  let console: VscpConsole
  let role: VscpOptions.Role
  let isVerbose: Bool

  /// Logs a line only with -v.
  func detail(_ text: String) {
    if isVerbose { console.log("\(role): \(text)") }
  }
  func always(_ text: String) { console.log("\(role): \(text)") }
}

/// An error that ends a run with status 1, after a log line: `vscp: receive: failed to listen: …`.
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
