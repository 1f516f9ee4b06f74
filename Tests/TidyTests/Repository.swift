import TestSupport

/// The repository's files, for the rules about them.
enum Repository {
  static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

  static func text(_ path: String) -> String? {
    contents(ofFile: path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The files of a folder and of those inside it, without hidden ones. A symbolic link to a folder is not followed: it
  /// may lead back.
  static func files(_ folder: String) -> [String] {
    entries(of: folder).filter { !$0.hasPrefix(".") }.flatMap { name in
      let path = "\(folder)/\(name)"
      // Every folder has the entry ".".
      if entries(of: path).isEmpty { return [path] }
      return target(ofLink: path) == nil ? files(path) : []
    }
  }
}
