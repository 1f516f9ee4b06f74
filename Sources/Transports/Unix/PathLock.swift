internal import CSocketKit
internal import SocketKitCore

/// A lock that a thread must hold to remove a terminated server's file from a path. Only one thread of one process
/// holds the lock at a time.
///
/// The lock is on a separate file, `<path>.socketkit-lock`, which exists only while a process clears the path. The
/// kernel releases the lock when the process that holds the lock terminates. The next holder uses the existing file and
/// removes it. Only users with write permission for the directory can create the file, and only its owner can open it,
/// so no other user can hold the lock.
struct PathLock: ~Copyable {
  private let path: SocketPath
  private let file: Descriptor

  /// Waits for the lock for at most one second. A holder needs the lock only for microseconds.
  ///
  /// Returns nil if the lock cannot be acquired: the file belongs to another user or is not a lock file, the file
  /// system does not support locks, or the process that holds the lock is stopped.
  init?(for socket: SocketPath) {
    let path = socket.appending(".socketkit-lock")
    let deadline = Deadline.after(.seconds(1))
    while true {
      let number = path.openLock()
      if number.isFailure { return nil }
      // The kernel has opened this descriptor for the caller.
      let file = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
      guard Self.lock(file.raw, until: deadline), let own = FileIdentity(file.raw), own.isEmptyFile else { return nil }
      // The previous holder may have removed the file while this thread waited. In that case, create a new file.
      if FileIdentity(path) == own {
        self.path = path
        self.file = file
        return
      }
      if deadline.hasPassed { return nil }
    }
  }

  // The file is removed while it is locked. After that, it is closed.
  deinit { _ = path.unlink() }

  private static func lock(_ file: RawDescriptor, until deadline: Deadline) -> Bool {
    while true {
      let result = IOResult(raw: csk_lock_file(file.value))
      if !result.isFailure { return true }
      guard result.isWouldBlock || result.errno == CSK_EACCES, !deadline.hasPassed else { return false }
      var time = csk_timespec(tv_sec: 0, tv_nsec: 1_000_000)
      // The kernel accesses the time only during the call.
      _ = unsafe csk_ppoll(nil, 0, &time)
    }
  }
}
