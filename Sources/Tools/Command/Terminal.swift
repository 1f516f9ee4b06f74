internal import CSocketKit
internal import Glibc
internal import SocketKitToolSupport

/// Writes data to standard output and messages to standard error.
enum Terminal {
  /// - Throws: if not all of the text could be written.
  static func print(_ text: String) throws(ToolError) {
    let error = write(text, to: 1)
    if error != 0 { throw ToolError("writing to standard output: \(systemText(error))") }
  }

  static func say(_ text: String) { _ = write(text, to: 2) }

  /// Whether standard error is a terminal.
  static var isWatched: Bool { isatty(2) == 1 }

  /// If standard error is a terminal, shows the progress of a long command in one line. The next call replaces this
  /// line.
  static func progress(_ text: String) {
    if isWatched { say("\r\u{1b}[K\(text)") }
  }
  static func endProgress() { progress("") }

  /// Writes the text; returns 0 or an errno.
  private static func write(_ text: String, to number: Int32) -> Int32 {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = writeBytes(number, bytes)
      if count < 0 && errno == EAGAIN {
        waitForEvent(POLLOUT, of: number, milliseconds: -1)
      } else if count < 0 && errno != EINTR {
        return errno
      }
      bytes = bytes.dropFirst(max(count, 0))
    }
    return 0
  }
}
