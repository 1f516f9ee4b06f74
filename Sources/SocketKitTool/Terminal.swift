internal import Glibc

/// Data on standard output, talk on standard error.
enum Terminal {
  static func print(_ text: String) { write(text, to: 1) }
  static func say(_ text: String) { write(text, to: 2) }

  /// Whether somebody watches the talk.
  static var isWatched: Bool { isatty(2) == 1 }

  /// Shows how far a long command is, in one line that the next call replaces; only where somebody watches.
  static func progress(_ text: String) {
    if isWatched { say("\r\u{1b}[K\(text)") }
  }
  static func endProgress() { progress("") }

  private static func write(_ text: String, to number: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { return }
      bytes = bytes.dropFirst(max(count, 0))
    }
  }
}
