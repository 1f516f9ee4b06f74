internal import Glibc
internal import SocketKitCore

/// A failed call on a file, in words as Go's: `open /x: no such file or directory`.
struct FileError: Error, Equatable, CustomStringConvertible {
  let call: String
  let path: String
  let errno: Int32

  var description: String {
    let words = String(cString: strerror(errno))
    return "\(call) \(path): \(words.prefix(1).lowercased())\(words.dropFirst())"
  }
}

/// An open file: blocking reads and writes of whole buffers.
struct LocalFile: ~Copyable {
  let owned: Descriptor
  let path: String

  init(_ number: Int32, path: String) {
    owned = unsafe Descriptor(unsafeOwning: RawDescriptor(number))
    self.path = path
  }

  /// As os.Open: for reading.
  static func reading(_ path: String) throws(FileError) -> LocalFile {
    let number = retried { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
    if number < 0 { throw FileError(call: "open", path: path, errno: errno) }
    return LocalFile(number, path: path)
  }

  /// As os.Create: for writing, made anew or emptied, mode 0666 less the umask.
  static func creating(_ path: String) throws(FileError) -> LocalFile {
    let number = retried { Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) }
    if number < 0 { throw FileError(call: "open", path: path, errno: errno) }
    return LocalFile(number, path: path)
  }

  /// A second descriptor of one that is open, standard input say.
  static func sharing(_ raw: RawDescriptor, path: String) throws(FileError) -> LocalFile {
    let number = fcntl(raw.value, F_DUPFD_CLOEXEC, 0)
    if number < 0 { throw FileError(call: "open", path: path, errno: errno) }
    return LocalFile(number, path: path)
  }

  borrowing func status() throws(FileError) -> stat {
    var status = stat()
    if fstat(owned.raw.value, &status) != 0 { throw failure("stat") }
    return status
  }

  /// Fills the buffer's front; 0 is the end of the file. Waits for pipes and terminals.
  borrowing func read(into buffer: inout MutableRawSpan) throws(FileError) -> Int {
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(owned.raw.value, $0.baseAddress, $0.count) }
      if count >= 0 { return count }
      try retryOrThrow("read", POLLIN)
    }
  }

  borrowing func write(_ bytes: RawSpan) throws(FileError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(owned.raw.value, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.extracting(droppingFirst: count)
      } else {
        try retryOrThrow("write", POLLOUT)
      }
    }
  }

  borrowing func seek(to offset: UInt64) throws(FileError) {
    if lseek(owned.raw.value, Int(offset), SEEK_SET) < 0 { throw failure("seek") }
  }

  borrowing func truncate(to length: UInt64) throws(FileError) {
    if ftruncate(owned.raw.value, Int(length)) != 0 { throw failure("truncate") }
  }

  borrowing func sync() throws(FileError) {
    if fsync(owned.raw.value) != 0 { throw failure("sync") }
  }

  borrowing func failure(_ call: String) -> FileError { FileError(call: call, path: path, errno: Glibc.errno) }

  /// Somebody else's pipe may not block: then wait for it.
  private borrowing func retryOrThrow(_ call: String, _ events: Int32) throws(FileError) {
    switch Glibc.errno {
    case EINTR: return
    case EAGAIN:
      var watched = pollfd(fd: owned.raw.value, events: Int16(events), revents: 0)
      _ = poll(&watched, 1, -1)
    default: throw failure(call)
    }
  }
}

private func retried(_ call: () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}
