internal import Glibc
internal import SocketKitCore

// System calls that take a path. The kernel accesses the path and the structures only during the call. After a failure,
// errno contains the reason.

extension Word {
  /// Opens a file (openat(2)). A relative path begins at `folder`, or at the working directory if `folder` is nil.
  /// - Returns: the descriptor, or -1.
  func open(_ flags: Int32, mode: mode_t = 0, in folder: RawDescriptor? = nil) -> Int32 {
    unsafe withCString { unsafe openat(folder?.value ?? AT_FDCWD, $0, flags, mode) }
  }

  /// Returns the status of an entry of a folder (fstatat(2)), without following a symbolic link; nil after a failure.
  func status(in folder: RawDescriptor) -> stat? {
    var status = stat()
    let result = unsafe withCString { unsafe fstatat(folder.value, $0, &status, AT_SYMLINK_NOFOLLOW) }
    return result == 0 ? status : nil
  }

  /// Renames an entry of a folder, and replaces an entry that has the new name (renameat(2)).
  /// - Returns: whether the call succeeded.
  func rename(to name: Word, in folder: RawDescriptor) -> Bool {
    unsafe withCString { from in
      unsafe name.withCString { to in unsafe renameat(folder.value, from, folder.value, to) }
    } == 0
  }

  /// Removes an entry of a folder (unlinkat(2)).
  func remove(in folder: RawDescriptor) {
    _ = unsafe withCString { unsafe unlinkat(folder.value, $0, 0) }
  }
}
