import Glibc
import TestSupport
import Testing

/// Files and directories. The C library uses a path, and the memory for a file's content, only during the call.
enum Files {
  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The same for a path that need not be UTF-8.
  static func exists(_ path: [UInt8]) -> Bool {
    let terminated = path.map { CChar(bitPattern: $0) } + [0]
    return unsafe access(terminated, F_OK) == 0
  }

  /// Removes the path of a file, if there is one.
  static func remove(_ path: String) { _ = unsafe unlink(path) }

  static func move(_ path: String, to other: String) -> Bool { unsafe rename(path, other) == 0 }

  @discardableResult
  static func makeFolder(_ path: String, mode: mode_t = 0o700) -> Bool { unsafe mkdir(path, mode) == 0 }

  /// Removes an empty directory, if there is one.
  static func removeFolder(_ path: String) { _ = unsafe rmdir(path) }

  static func setMode(_ mode: mode_t, of path: String) -> Bool { unsafe chmod(path, mode) == 0 }

  /// Opens a file, which is CLOEXEC. Returns its number, or -1 and errno.
  static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) -> Int32 {
    unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
  }

  /// Creates a file for reading and writing. Returns its number, or -1 and errno.
  static func create(_ path: String) -> Int32 { open(path, O_RDWR | O_CREAT | O_EXCL) }

  /// Creates a file without a path that holds the bytes, and returns its number.
  static func unnamed(holding bytes: [UInt8]) -> Int32 {
    let path = temporaryPath("file")
    let number = create(path)
    precondition(number >= 0, "no file: errno \(errno)")
    remove(path)
    #expect(write(bytes, to: number))
    return number
  }

  /// Whether all the text could be written.
  static func write(_ text: String, to number: Int32) -> Bool { write(Array(text.utf8), to: number) }

  /// Whether all the bytes could be written.
  static func write(_ bytes: [UInt8], to number: Int32) -> Bool {
    unsafe Glibc.write(number, bytes, bytes.count) == bytes.count
  }

  /// Reads once. Returns no bytes at the end of the file, and if the call fails.
  static func read(_ number: Int32, atMost capacity: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: capacity)
    let count = unsafe Glibc.read(number, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }
}
