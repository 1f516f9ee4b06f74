import Glibc
import TestSupport
import Testing

/// Files and directories. The C library uses a path only during the call.
enum Files {
  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The same for a path that need not be UTF-8.
  static func exists(_ path: [UInt8]) -> Bool {
    let terminated = path.map { CChar(bitPattern: $0) } + [0]
    return unsafe access(terminated, F_OK) == 0
  }

  static func move(_ path: String, to other: String) -> Bool { unsafe rename(path, other) == 0 }

  @discardableResult
  static func makeFolder(_ path: String, mode: mode_t = 0o700) -> Bool { unsafe mkdir(path, mode) == 0 }

  /// Removes an empty directory, if there is one.
  static func removeFolder(_ path: String) { _ = unsafe rmdir(path) }

  static func setMode(_ mode: mode_t, of path: String) -> Bool { unsafe chmod(path, mode) == 0 }

  /// Creates a file for reading and writing. Returns its number, or -1 and errno.
  static func create(_ path: String) -> Int32 {
    CLibrary.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600)
  }

  /// Creates a file without a path that holds the bytes, and returns its number.
  static func unnamed(holding bytes: [UInt8]) -> Int32 {
    let path = temporaryPath("file")
    let number = create(path)
    precondition(number >= 0, "no file: errno \(errno)")
    CLibrary.unlink(path)
    #expect(CLibrary.write(number, bytes) == bytes.count)
    return number
  }
}
