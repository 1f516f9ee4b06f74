/// What a command ends with when it cannot go on: a sentence for the user, and the exit status.
public struct ToolError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String
  public let status: Int32

  /// Something went wrong: status 1.
  public init(_ description: String) {
    self.description = description
    status = 1
  }

  /// The command line is wrong: status 2, by the custom of Unix tools.
  public static func usage(_ description: String) -> ToolError { ToolError(description, status: 2) }

  private init(_ description: String, status: Int32) {
    self.description = description
    self.status = status
  }
}
