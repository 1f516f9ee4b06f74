import Glibc
import TestSupport

/// A folder that goes with the test.
///
/// Each function of the C library uses its path, and stat(2) its structure, only during the call.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    // In the guest kernel only this one can be written to.
    path = "\(environmentVariable("TMPDIR") ?? "/tmp")/vscp-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))"
    unsafe mkdir(path, 0o700)
  }

  deinit { _ = PeerProcess(["rm", "-rf", path])?.finish() }

  func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) {
    let file = "\(path)/\(name)"
    let number = CLibrary.open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode: mode)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = CLibrary.write(number, Array(rest))
      if count <= 0 { break }
      rest = rest.dropFirst(count)
    }
    close(number)
    unsafe chmod(file, mode)
  }

  /// nil when there is none.
  func read(_ name: String) -> [UInt8]? { contents(ofFile: "\(path)/\(name)") }

  /// What is in it, hidden files too.
  func names() -> [String] { entries(of: path).filter { $0 != "." && $0 != ".." }.sorted() }

  /// Whether something has that name.
  func has(_ name: String) -> Bool { unsafe access("\(path)/\(name)", F_OK) == 0 }

  /// The permissions of a file; nil when there is none.
  func mode(of name: String) -> mode_t? {
    var status = stat()
    return unsafe stat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o7777 : nil
  }

  // The following return whether they succeeded.

  @discardableResult
  func makeFolder(_ name: String, mode: mode_t = 0o700) -> Bool { unsafe mkdir("\(path)/\(name)", mode) == 0 }

  func makeFIFO(_ name: String) -> Bool { unsafe mkfifo("\(path)/\(name)", 0o644) == 0 }

  @discardableResult
  func makeSymbolicLink(_ name: String, to target: String) -> Bool { unsafe symlink(target, "\(path)/\(name)") == 0 }

  func makeLink(_ name: String, to target: String) -> Bool { unsafe link(target, "\(path)/\(name)") == 0 }

  @discardableResult
  func truncate(_ name: String) -> Bool { unsafe Glibc.truncate("\(path)/\(name)", 0) == 0 }

  @discardableResult
  func remove(_ name: String) -> Bool { CLibrary.unlink("\(path)/\(name)") == 0 }
}
