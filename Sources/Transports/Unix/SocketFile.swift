internal import CSocketKit
internal import SocketKitCore

/// The file of a bound Unix socket, identified by its inode, so that no other file is removed. While the socket is
/// open, the inode stays allocated, so no other file has the same inode number.
struct SocketFile: Sendable {
  let path: SocketPath
  private let identity: FileIdentity

  /// Returns nil if the path does not exist or is not a socket.
  init?(_ path: SocketPath) {
    guard let identity = FileIdentity(path), identity.isSocket else { return nil }
    self.path = path
    self.identity = identity
  }

  func removeIfSame() {
    if FileIdentity(path) == identity { _ = path.unlink() }
  }
}

/// The path that a socket created by binding. The path is removed when the socket is destroyed. The value is one word
/// in size and needs no reference counting.
///
/// No other pointer refers to the memory. `init` allocates and initializes the memory, and `dispose` frees it. The
/// memory is freed only once, because `remove` and `disarm` set the pointer to nil after they have called `dispose`,
/// and because `deinit` is the last access.
@safe @frozen
@usableFromInline
struct BoundPath: ~Copyable, @unchecked Sendable {
  /// A ``SocketFile`` that this value owns, or nil.
  @usableFromInline var file: UnsafeMutableRawPointer?

  @inlinable
  init() { unsafe file = nil }

  init(_ made: SocketFile?) {
    unsafe file = nil
    guard let made else { return }
    let memory = UnsafeMutablePointer<SocketFile>.allocate(capacity: 1)
    unsafe memory.initialize(to: made)
    unsafe file = UnsafeMutableRawPointer(memory)
  }

  @inlinable
  deinit { if let file = unsafe file { unsafe dispose(of: file, removing: true) } }

  /// Removes the path now.
  @inlinable
  mutating func remove() {
    if let file = unsafe file { unsafe dispose(of: file, removing: true) }
    unsafe file = nil
  }

  /// Ends the ownership of the path without removing the path.
  @inlinable
  mutating func disarm() {
    if let file = unsafe file { unsafe dispose(of: file, removing: false) }
    unsafe file = nil
  }
}

/// Frees the memory that `BoundPath` has allocated.
@usableFromInline
func dispose(of file: UnsafeMutableRawPointer, removing: Bool) {
  let memory = unsafe file.assumingMemoryBound(to: SocketFile.self)
  if removing { unsafe memory.pointee.removeIfSame() }
  unsafe memory.deinitialize(count: 1)
  unsafe memory.deallocate()
}
