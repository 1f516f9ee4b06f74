internal import SocketKitToolSupport

/// One thing that the tool does. A new one is a file in Commands and a line in ``all``.
struct Command: Sendable {
  let name: String
  /// One line for the list of commands.
  let summary: String
  /// What `--help` prints.
  let help: String
  /// Not listed: for the tool's own processes.
  var isHidden = false
  /// The words that ask for ``help``.
  var helpWords = ["--help", "-h"]
  /// Gives the exit status. Wrong options are thrown as ``ToolError/usage(_:)``.
  let run: @Sendable (Arguments) throws -> Int32

  static let all: [Command] = [.bench, .vscp, .benchServer]
}
