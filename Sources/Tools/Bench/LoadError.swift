/// The reason why a load cannot continue.
enum LoadError: Error, CustomStringConvertible {
  /// A reply is incorrect or missing, or the client has failed.
  case wrong(String)
  /// The connection to the server is lost; the server may have exited.
  case lost(String)

  var description: String {
    switch self {
    case .wrong(let text), .lost(let text): text
    }
  }
}
