internal import CSocketKit
internal import SocketKitCore

// A program that dies leaves its socket's file behind, and the next one must remove it. The kernel cannot unlink a path "if it
// still is that file", so between looking and unlinking another server may have taken the path. Three things close that gap:
//
// - Only one process, and one thread of it, clears a path at a time: ``PathLock``.
// - A file that refuses connections may be one that is just being made: bind(2) first makes the file and then attaches the
//   socket. The kernel holds the directory's entry meanwhile, so asking for something that needs the entry waits for that
//   (`csk_settle_entry`). What refuses after that has lost its socket, for good.
// - A descriptor names the file from before the looking until after the unlinking, so that its inode number cannot go to a
//   new file: the path is unlinked only while it has that number.
//
// A server that binds never removes anything, and a live server removes only its own file, so nobody else can put another
// file in the place of a deserted one.

extension SocketPath {
  /// Removes the file when it is a socket's and no socket is bound there any more.
  /// - Parameter address: reaches the same file.
  /// - Returns: whether binding is worth another try.
  func clearIfDeserted(_ address: UnixAddress) -> Bool {
    // Without a lock first: most paths in use are.
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
      // Another file is there only where somebody removes files that are not theirs: look at that one.
      guard let identity = FileIdentity(pin.raw), FileIdentity(self) == identity else { continue }
      let removed = unlink()
      _ = consume pin
      return !removed.isFailure
    }
    return false
  }

  private enum State { case gone, inUse, deserted }

  /// Asked by connecting a datagram socket, which leaves no trace at a live one: a stream or packet socket says EPROTOTYPE,
  /// also while it is bound and does not listen yet. "Refused" then means only that the file has no socket.
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

  /// False only when the kernel says so.
  private var isThere: Bool {
    let number = IOResult(raw: with { csk_pin_file($0, $1, 0) })
    if number.isFailure { return number.errno != CSK_ENOENT }
    _ = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
    return true
  }
}
