internal import CSocketKit
internal import SocketKitCore

// A program that dies leaves its socket's file, and the next one must remove it. The kernel cannot unlink a path "if it
// still is that file": between the check and unlink(2), another server may take the path. Three rules make the check
// hold:
//
// - Only one thread of one process clears a path at a time: ``PathLock``.
// - A file that refuses connections may be new: bind(2) creates the file first, and then attaches the socket (Linux
//   5.14 and later hold the directory meanwhile: net/unix/af_unix.c, unix_bind_bsd). `csk_settle_entry` waits for that.
//   A file that refuses connections after that has lost its socket, and never gets another.
// - A descriptor names the file during the check and unlink(2), so that no new file can get its inode number. The path
//   is unlinked only while it has that number.
//
// bind(2) never replaces a file, and a live server removes only its own. So a deserted file stays at its path until the
// holder of the lock removes it.

extension SocketPath {
  /// Removes the file when it is a socket's and no socket is bound there any more.
  /// - Parameter address: reaches the same file.
  /// - Returns: whether to try binding again.
  func clearIfDeserted(_ address: UnixAddress) -> Bool {
    // First without a lock: most paths that are in use have a live socket.
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
      let number = IOResult(raw: with { csk_pin_file($0, $1, 0) })
      if number.errno == CSK_ENOENT { return true }
      if number.isFailure { return false }
      let pin = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
      let settled = IOResult(raw: with { csk_settle_entry($0, $1) })
      if settled.errno == CSK_ENOENT { continue }
      if settled.isFailure { return false }
      switch state(address) {
      case .gone: continue
      case .inUse: return false
      case .deserted: break
      }
      // Another program removed the file and put a new one there: check that one.
      guard let identity = FileIdentity(pin.raw), FileIdentity(self) == identity else { continue }
      let removed = unlink()
      _ = consume pin
      return !removed.isFailure
    }
    return false
  }

  private enum State { case gone, inUse, deserted }

  /// Connects a datagram socket, which a live socket does not notice: a stream or packet socket answers EPROTOTYPE,
  /// also before it listens. ECONNREFUSED means that the file has no socket.
  private func state(_ address: UnixAddress) -> State {
    guard let identity = FileIdentity(self) else { return isThere ? .inUse : .gone }
    guard identity.isSocket else { return .inUse }
    let number = csk_socket(CSK_AF_UNIX, CSK_SOCK_DGRAM | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, 0)
    guard number >= 0 else { return .inUse }
    let probe = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number)))
    let result = address.withBytes { bytes in
      bytes.withUnsafeBytes { IOResult(raw: csk_connect(probe.raw.value, $0.baseAddress, UInt32($0.count))) }
    }
    switch result.errno {
    case CSK_ECONNREFUSED: return .deserted
    case CSK_ENOENT: return .gone
    default: return .inUse
    }
  }

  /// False only where the kernel answers ENOENT.
  private var isThere: Bool {
    let number = IOResult(raw: with { csk_pin_file($0, $1, 0) })
    if number.isFailure { return number.errno != CSK_ENOENT }
    _ = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
    return true
  }
}
