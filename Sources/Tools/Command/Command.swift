internal import SocketKitToolSupport

/// A subcommand of the tool. To add one, declare it in an extension of this type, and add it to ``all``.
struct Command: Sendable {
  let name: String
  /// The line in the list of commands.
  let summary: String
  /// The output of `--help`.
  let help: String
  /// Whether the list of commands omits the command, because only the tool itself runs it.
  var isHidden = false
  /// The arguments that print ``help``.
  var helpWords = ["--help", "-h"]
  /// Runs the command and returns the exit status. Throws ``ToolError/usage(_:)`` if the options are invalid.
  let run: @Sendable (Arguments) throws -> Int32

  static let all: [Command] = [.bench, .vscp, .benchServer]
}
