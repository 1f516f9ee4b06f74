internal import CSocketKit
internal import SocketKitCore

/// The right to clear a path of a dead server's file: one holder at a time, over all threads and processes.
///
/// It is a lock on a file of its own, `<path>.socketkit-lock`, which is there only while somebody clears the path. The kernel
/// gives the lock up when its holder dies; a file that stayed behind then is used and removed by the next holder. Only who
/// may write in the directory can make the file, and only its owner can open it, so nobody else can keep the lock.
struct PathLock: ~Copyable {
  private let path: SocketPath
  private let file: Descriptor

  /// Waits for the lock, a second at most: its holders need microseconds. nil when it is not to be had: the directory or the
  /// file belongs to another user, the file system has no locks, or a holder was stopped.
  init?(for socket: SocketPath) {
    let path = socket.appending(".socketkit-lock")
    let deadline = Deadline.after(.seconds(1))
    while true {
      let number = path.with { csk_open_lock($0, $1) }
      guard number >= 0 else { return nil }
      let file = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number)))
      guard Self.lock(file.raw, until: deadline), let own = FileIdentity(file.raw), own.isEmptyFile else { return nil }
      // The last holder removed the file: then this is a lock on nothing, and the next is on a new file.
      if FileIdentity(path) == own {
        self.path = path
        self.file = file
        return
      }
      if deadline.hasPassed { return nil }
    }
  }

  // Removed while it is locked, then closed.
  deinit { _ = path.unlink() }

  private static func lock(_ file: RawDescriptor, until deadline: Deadline) -> Bool {
    while true {
      let result = IOResult(raw: csk_lock_file(file.value))
      if !result.isFailure { return true }
      guard result.isWouldBlock || result.errno == CSK_EACCES, !deadline.hasPassed else { return false }
      var time = csk_timespec(tv_sec: 0, tv_nsec: 1_000_000)
      _ = csk_ppoll(nil, 0, &time)
    }
  }
}
