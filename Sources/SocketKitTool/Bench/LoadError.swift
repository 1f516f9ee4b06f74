/// Why a load cannot go on.
enum LoadError: Error, CustomStringConvertible {
  /// A reply is wrong.
  case wrong(String)
  /// The server is out of reach; it may have ended.
  case lost(String)

  var description: String {
    switch self {
    case .wrong(let text), .lost(let text): text
    }
  }
}
