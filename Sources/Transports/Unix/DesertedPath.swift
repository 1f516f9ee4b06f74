internal import CSocketKit
internal import SocketKitCore

// When a program terminates abnormally, its socket's file remains, and the next program must remove it. That program
// first checks that no socket is bound to the file, and then calls unlink(2). If another server binds to the path
// between these two steps, unlink(2) removes that server's file. Three rules prevent this:
//
// - ``PathLock`` permits only one thread of one process at a time to clear a path.
// - A file that refuses connections may be new, because bind(2) creates the file first and then attaches the socket
//   (Linux 5.14 and later lock the directory during this time: net/unix/af_unix.c, unix_bind_bsd). `csk_settle_entry`
//   waits until bind(2) has finished. If the file then still refuses connections, it has no socket any more, and no
//   socket can be bound to it again.
// - A descriptor refers to the file during the check and during unlink(2), so that no new file can get the same inode
//   number. The path is unlinked only if it still refers to that inode number.
//
// bind(2) never replaces a file, and a running server removes only its own file. A stale file therefore remains at its
// path until the holder of the lock removes it.

extension SocketPath {
  /// Removes the file if it is a socket's file and no socket is bound to it any more.
  /// - Parameter address: an address that refers to the same file.
  /// - Returns: whether the caller should try to bind again.
  func clearIfDeserted(_ address: UnixAddress) -> Bool {
    // Check without the lock first: in most cases, the path is in use because an open socket is bound to it.
    switch state(address) {
    case .gone: return true
    case .inUse: return false
    case .deserted: break
    }
    guard let lock = PathLock(for: self) else { return false }
    let isClear = clearAlone(address)
    _ = consume lock
    return isClear
  }

  private func clearAlone(_ address: UnixAddress) -> Bool {
    for _ in 0..<8 {
      let number = pin()
      if number.errno == CSK_ENOENT { return true }
      if number.isFailure { return false }
      // The kernel has opened this descriptor for the caller.
      let pin = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
      let settled = settle()
      if settled.errno == CSK_ENOENT { continue }
      if settled.isFailure { return false }
      switch state(address) {
      case .gone: continue
      case .inUse: return false
      case .deserted: break
      }
      // If another program has removed the file and created a new file at the path, check the new file.
      guard let identity = FileIdentity(pin.raw), FileIdentity(self) == identity else { continue }
      let removed = unlink()
      _ = consume pin
      return !removed.isFailure
    }
    return false
  }

  private enum State { case gone, inUse, deserted }

  /// Connects a datagram socket to the file, and returns the state of the file. The call to connect(2) has no effect on
  /// the socket that is bound to the file. If that socket is a stream or packet socket, the call fails with EPROTOTYPE,
  /// even if the socket does not listen yet. ECONNREFUSED means that no socket is bound to the file.
  private func state(_ address: UnixAddress) -> State {
    guard let identity = FileIdentity(self) else { return isThere ? .inUse : .gone }
    guard identity.isSocket else { return .inUse }
    let number = csk_socket(CSK_AF_UNIX, CSK_SOCK_DGRAM | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, 0)
    guard number >= 0 else { return .inUse }
    // The kernel has opened this descriptor for the caller.
    let probe = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number)))
    let result = address.withBytes { bytes in
      // The kernel reads the address only during the call.
      unsafe bytes.withUnsafeBytes {
        unsafe IOResult(raw: csk_connect(probe.raw.value, $0.baseAddress, UInt32($0.count)))
      }
    }
    switch result.errno {
    case CSK_ECONNREFUSED: return .deserted
    case CSK_ENOENT: return .gone
    default: return .inUse
    }
  }

  /// Whether a file exists at the path: false only if the kernel returns ENOENT.
  private var isThere: Bool {
    let number = pin()
    if number.isFailure { return number.errno != CSK_ENOENT }
    // The kernel has opened this descriptor for the caller, and this statement closes it.
    _ = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
    return true
  }
}
