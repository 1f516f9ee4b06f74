internal import Glibc

/// The error that ends a command: a message for the user and the exit status.
public struct ToolError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String
  public let status: Int32

  /// A general failure: status 1.
  public init(_ description: String) {
    self.description = description
    status = 1
  }

  /// An invalid command line: status 2, by Unix convention.
  public static func usage(_ description: String) -> ToolError { ToolError(description, status: 2) }

  private init(_ description: String, status: Int32) {
    self.description = description
    self.status = status
  }
}

/// Returns the text of an error number (strerror(3)).
public func systemText(_ number: Int32) -> String {
  // The text ends with a zero byte, and nothing except a later call in this thread can change it.
  unsafe String(cString: strerror(number))
}
