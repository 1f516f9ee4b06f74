internal import Glibc
internal import SocketKitCore

/// A failed system call on a file, formatted as Go does: `open /x: no such file or directory`.
struct FileError: Error, Equatable, CustomStringConvertible {
  let call: String
  let path: Word
  let errno: Int32

  var description: String { "\(call) \(path): \(reason)" }

  /// The message in double quotes, including the raw bytes of the path.
  var quoted: String { goQuoted(Array("\(call) ".utf8) + path.bytes + Array(": \(reason)".utf8)) }

  private var reason: String {
    // strerror(3) returns "connection timed out" for ETIMEDOUT.
    let words = errno == ETIMEDOUT ? "timed out" : systemText(errno)
    return "\(words.prefix(1).lowercased())\(words.dropFirst())"
  }
}

/// An open file. The read and write methods wait for pipes and terminals, but not beyond a deadline. The write method
/// transfers the whole buffer.
struct LocalFile: ~Copyable {
  let owned: Descriptor
  let path: Word
  /// Whether a read call or a write call may have to wait for another process: true for everything except regular
  /// files, directories and block devices.
  private let waits: Bool

  init(_ number: Int32, path: Word) {
    // The caller has opened or duplicated the descriptor, and nothing else closes it.
    owned = unsafe Descriptor(unsafeOwning: RawDescriptor(number))
    self.path = path
    let kind = Self.status(of: number).map { $0.st_mode & S_IFMT }
    waits = kind.map { ![S_IFREG, S_IFDIR, S_IFBLK].contains($0) } ?? false
  }

  /// Opens a file for reading, like os.Open.
  /// - Parameter waits: whether opening a named pipe waits for a writer; if false, the first read waits.
  static func reading(_ path: Word, waits: Bool = true) throws(FileError) -> LocalFile {
    let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY
    var number = retried { path.open(flags | (waits ? 0 : O_NONBLOCK)) }
    // The call fails with EWOULDBLOCK if another process holds a lease on the file (fcntl(2), F_SETLEASE). An open
    // without O_NONBLOCK waits until the lease is released.
    if number < 0 && errno == EWOULDBLOCK { number = retried { path.open(flags) } }
    if number < 0 { throw FileError(call: "open", path: path, errno: errno) }
    return LocalFile(number, path: path)
  }

  /// Creates or truncates a file for writing, like os.Create, with mode 0666 minus the umask.
  static func creating(_ path: Word) throws(FileError) -> LocalFile {
    let number = retried { path.open(O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode: 0o666) }
    if number < 0 { throw FileError(call: "open", path: path, errno: errno) }
    return LocalFile(number, path: path)
  }

  /// Duplicates an open descriptor, such as standard input.
  static func sharing(_ raw: RawDescriptor, path: Word) throws(FileError) -> LocalFile {
    let number = fcntl(raw.value, F_DUPFD_CLOEXEC, 0)
    if number < 0 { throw FileError(call: "open", path: path, errno: errno) }
    return LocalFile(number, path: path)
  }

  borrowing func status() throws(FileError) -> stat {
    guard let status = Self.status(of: owned.raw.value) else { throw failure("stat") }
    return status
  }

  private static func status(of number: Int32) -> stat? {
    var status = stat()
    // The call fills the structure.
    return unsafe fstat(number, &status) == 0 ? status : nil
  }

  /// Whether the next read begins at the first byte. Also true if the file has no offset.
  var isAtStart: Bool { lseek(owned.raw.value, 0, SEEK_CUR) <= 0 }

  /// Reads into the start of the buffer.
  /// - Parameter socket: a descriptor to watch while waiting for the file.
  /// - Returns: the number of bytes, 0 at the end of the file; nil if poll(2) reports events for `socket`.
  borrowing func read(
    into buffer: inout MutableSpan<UInt8>, until deadline: Deadline = .never, beside socket: pollfd? = nil
  ) throws(FileError) -> Int? {
    var mustWait = waits
    while true {
      if mustWait, try !wait("read", POLLIN, until: deadline, beside: socket) { return nil }
      // The kernel writes at most the size of the buffer, and only during the call.
      let count = unsafe buffer.withUnsafeMutableBufferPointer {
        unsafe Glibc.read(owned.raw.value, $0.baseAddress, $0.count)
      }
      if count >= 0 { return count }
      // The process that passed the pipe to this process may have made the pipe non-blocking.
      mustWait = mustWait || errno == EAGAIN
      if errno != EINTR && errno != EAGAIN { throw failure("read") }
    }
  }

  /// Writes all the bytes; the limits apply to each piece.
  borrowing func write(_ bytes: Span<UInt8>, within limits: TransferLimits = .none) throws(FileError) {
    var rest = bytes
    var mustWait = waits
    while !rest.isEmpty {
      let deadline = limits.next
      if mustWait { _ = try wait("write", POLLOUT, until: deadline, beside: nil) }
      // A pipe that poll(2) reports as writable accepts 4096 bytes without blocking (pipe(7), PIPE_BUF).
      let piece = waits && !deadline.isNever ? rest.extracting(first: 4096) : rest
      // The kernel reads the piece only during the call.
      let count = unsafe piece.withUnsafeBufferPointer { unsafe Glibc.write(owned.raw.value, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.extracting(droppingFirst: count)
      } else {
        mustWait = mustWait || errno == EAGAIN
        if errno != EINTR && errno != EAGAIN { throw failure("write") }
      }
    }
  }

  borrowing func seek(to offset: UInt64) throws(FileError) {
    if lseek(owned.raw.value, Int(offset), SEEK_SET) < 0 { throw failure("seek") }
  }

  borrowing func truncate(to length: UInt64) throws(FileError) {
    if ftruncate(owned.raw.value, Int(length)) != 0 { throw failure("truncate") }
  }

  /// Closes the file and throws any error: network file systems and quotas may report an error only at this point.
  consuming func close() throws(FileError) {
    let path = path
    do throws(SocketError) {
      try owned.close()
    } catch {
      throw FileError(call: "close", path: path, errno: error.errno)
    }
  }

  borrowing func failure(_ call: String) -> FileError { FileError(call: call, path: path, errno: Glibc.errno) }

  /// Waits until the file is ready for the call.
  /// - Returns: false if there are events for the socket, even if the file is ready too.
  /// - Throws: ETIMEDOUT if the deadline passes.
  private borrowing func wait(
    _ call: String, _ events: Int32, until deadline: Deadline, beside socket: pollfd?
  ) throws(FileError) -> Bool {
    // poll(2) ignores negative descriptors.
    var watched: InlineArray<2, pollfd> = [
      pollfd(fd: owned.raw.value, events: Int16(events), revents: 0),
      socket ?? pollfd(fd: -1, events: 0, revents: 0),
    ]
    while true {
      let left = deadline.remainingNanoseconds
      // Round up, so that poll(2) does not return before the deadline.
      let time = left < 0 ? -1 : Int32(min(left / 1_000_000 + (left % 1_000_000 == 0 ? 0 : 1), Int64(Int32.max)))
      var entries = watched.mutableSpan
      // The kernel accesses the two entries only during the call.
      let result = unsafe entries.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, time) }
      if result > 0 { return watched[1].revents == 0 }
      if result < 0 && errno != EINTR { throw failure("poll") }
      if result == 0 && deadline.hasPassed { throw FileError(call: call, path: path, errno: ETIMEDOUT) }
    }
  }
}

private func retried(_ call: () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}
