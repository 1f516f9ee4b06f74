internal import Glibc
internal import SocketKitCore

/// A file being received. Its bytes are written to an unfinished file in the same directory as the final file. At the
/// end, the unfinished file is renamed.
struct IncomingFile: ~Copyable {
  private let place: RawDescriptor
  private let name: [UInt8]
  private let part: [UInt8]
  private let file: LocalFile
  /// The number of bytes left by an earlier run.
  let size: UInt64

  /// Opens or creates the unfinished file, and locks it. The directory must stay open.
  /// - Throws: the reason why the receiver refuses the file.
  init(_ name: [UInt8], in place: borrowing ReceivingPlace) throws(Refusal) {
    let folder = place.directory.owned.raw
    try Self.checkTarget(name, in: folder)
    let part = ReceivingPlace.partName(of: name)
    for _ in 0..<10 {
      let number = Word(part).open(
        O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode: 0o600, in: folder)
      if number < 0 {
        let code: Reason.Code = errno == ELOOP || errno == EISDIR || errno == ENXIO ? .nameTaken : .storage
        throw Refusal(code, "\(FileError(call: "open", path: shownName(part), errno: errno))")
      }
      let file = LocalFile(number, path: shownName(part))
      let status: stat
      do throws(FileError) {
        status = try file.status()
      } catch {
        throw Refusal(error)
      }
      guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1, status.st_uid == geteuid() else {
        throw Refusal(.nameTaken, "\(shownName(part)) is not an unfinished file of this user")
      }
      if flock(number, LOCK_EX | LOCK_NB) != 0 {
        throw Refusal(.busy, "another transfer is receiving \(shownName(name))")
      }
      // After this process opened the file and before it obtained the lock, another process may have finished and
      // renamed the file.
      if let now = Word(part).status(in: folder), now.st_ino == status.st_ino, now.st_dev == status.st_dev {
        self.place = folder
        self.name = name
        self.part = part
        self.file = file
        // This size is valid, because this process read it after it had obtained the lock.
        size = UInt64(now.st_size)
        return
      }
    }
    throw Refusal(.busy, "other transfers are receiving \(shownName(name))")
  }

  /// Throws if the target exists and is not a regular file; in particular, symbolic links are never replaced.
  private static func checkTarget(_ name: [UInt8], in folder: RawDescriptor) throws(Refusal) {
    guard let status = Word(name).status(in: folder) else {
      if errno == ENOENT { return }
      throw Refusal(FileError(call: "stat", path: shownName(name), errno: errno))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFLNK: throw Refusal(.nameTaken, "\(shownName(name)) is a symbolic link on the receiver")
    case S_IFDIR: throw Refusal(.nameTaken, "\(shownName(name)) is a directory on the receiver")
    default: throw Refusal(.nameTaken, "\(shownName(name)) exists on the receiver and is not a regular file")
    }
  }

  /// Passes the existing bytes to `body`. Afterwards, the file offset is at the end of these bytes.
  borrowing func forEachChunk(_ body: (Span<UInt8>) throws -> Void) throws {
    try file.seek(to: 0)
    try forEachChunkOfFile(file, limit: size, body)
  }

  /// Discards the bytes of an earlier run.
  borrowing func restart() throws(FileError) {
    try file.truncate(to: 0)
    try file.seek(to: 0)
  }

  borrowing func write(_ bytes: Span<UInt8>) throws(FileError) { try file.write(bytes) }

  /// Sets the file's permissions, renames the file to its final name, and syncs the file and its directory to disk.
  /// - Parameter signs: called periodically during the sync.
  /// - Throws: a `Refusal` with the failed call, in which case the unfinished file may still exist; or an error thrown
  ///   by `signs`, in which case the unfinished file still exists.
  borrowing func store(mode: UInt32, signs: () throws -> Void) throws {
    try sync(signs)
    // Set the final mode only after the long sync: until then, a later run may have to open the unfinished file, which
    // the final mode may not permit.
    if fchmod(file.owned.raw.value, mode & 0o777 & ~fileCreationMask) != 0 { throw Refusal(file.failure("chmod")) }
    do {
      try sync(signs)
      try Self.checkTarget(name, in: place)
      if !isThere(part) { throw Refusal(.storage, "another process has replaced \(shownName(part))") }
      if !Word(part).rename(to: Word(name), in: place) {
        throw Refusal(FileError(call: "rename", path: shownName(name), errno: errno))
      }
    } catch {
      _ = fchmod(file.owned.raw.value, 0o600)
      throw error
    }
    // Some file systems cannot sync a directory. The file is considered stored nevertheless.
    let failure = try Self.fsync(place, signs, canFail: [EINVAL, EROFS])
    if failure != 0 { throw Refusal(FileError(call: "sync", path: ".", errno: failure)) }
  }

  private borrowing func sync(_ signs: () throws -> Void) throws {
    let failure = try Self.fsync(file.owned.raw, signs)
    if failure == 0 { return }
    // The kernel reports a write-back error only once. A later run would read the bytes from the page cache, and its
    // sync would succeed.
    discard()
    throw Refusal(FileError(call: "sync", path: file.path, errno: failure))
  }

  /// - Returns: 0, or an errno that is not in `canFail`. An errno takes precedence over an error thrown by `signs`.
  private static func fsync(
    _ file: RawDescriptor, _ signs: () throws -> Void, canFail: [Int32] = []
  ) throws -> Int32 {
    var silence: (any Error)?
    let failure = SlowCall.run({ Glibc.fsync(file.value) }) {
      do {
        if silence == nil { try signs() }
      } catch {
        silence = error
      }
    }
    if failure != 0 && !canFail.contains(failure) { return failure }
    if let silence { throw silence }
    return 0
  }

  /// Returns whether the name still refers to this file, and not to a file that has replaced it.
  private borrowing func isThere(_ name: [UInt8]) -> Bool {
    guard let own = try? file.status(), let there = Word(name).status(in: place) else { return false }
    return there.st_ino == own.st_ino && there.st_dev == own.st_dev
  }

  /// Removes the unfinished file, unless another file has replaced it. A file is discarded if it is empty or if its
  /// content may be wrong.
  borrowing func discard() {
    if isThere(part) { Word(part).remove(in: place) }
  }

  /// Keeps the unfinished file for a later run, unless it is empty.
  borrowing func keep() {
    if let status = try? file.status(), status.st_size == 0 { discard() }
  }
}

/// Reads a file from its current offset, up to its end or `limit` bytes.
func forEachChunkOfFile(_ file: borrowing LocalFile, limit: UInt64, _ body: (Span<UInt8>) throws -> Void) throws {
  var buffer = [UInt8](repeating: 0, count: transferBufferSize)
  var left = limit
  while left > 0 {
    var target = buffer.mutableSpan
    var part = target._mutatingExtracting(first: Int(min(left, UInt64(transferBufferSize))))
    guard let count = try file.read(into: &part), count > 0 else { return }
    left -= UInt64(count)
    try body(buffer.span.extracting(first: count))
  }
}

private func shownName(_ name: [UInt8]) -> Word { Word(name) }

/// The umask, read without changing it (proc(5), Linux 4.7); 022 if it cannot be read.
private let fileCreationMask: mode_t = {
  guard let status = try? LocalFile.reading("/proc/self/status") else { return 0o022 }
  var text: [UInt8] = []
  try? forEachChunkOfFile(status, limit: 65536) { bytes in
    for index in bytes.indices { text.append(bytes[index]) }
  }
  let line = text.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "Umask:".utf8) }
  let digits = line?.split(separator: UInt8(ascii: "\t")).last.map { String(decoding: $0, as: UTF8.self) }
  return digits.flatMap { mode_t($0, radix: 8) } ?? 0o022
}()

extension stat {
  /// The size of a regular file, or nil for other file types.
  var fileSize: UInt64? { st_mode & S_IFMT == S_IFREG ? UInt64(st_size) : nil }
}
