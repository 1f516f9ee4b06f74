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
@frozen
@usableFromInline
struct BoundPath: ~Copyable, @unchecked Sendable {
  /// A ``SocketFile`` that this value owns, or nil.
  @usableFromInline var file: UnsafeMutableRawPointer?

  @inlinable
  init() { file = nil }

  init(_ made: SocketFile?) {
    file = nil
    guard let made else { return }
    let memory = UnsafeMutablePointer<SocketFile>.allocate(capacity: 1)
    memory.initialize(to: made)
    file = UnsafeMutableRawPointer(memory)
  }

  @inlinable
  deinit { if let file { dispose(of: file, removing: true) } }

  /// Removes the path now.
  @inlinable
  mutating func remove() {
    if let file { dispose(of: file, removing: true) }
    file = nil
  }

  /// Ends the ownership of the path without removing the path.
  @inlinable
  mutating func disarm() {
    if let file { dispose(of: file, removing: false) }
    file = nil
  }
}

@usableFromInline
func dispose(of file: UnsafeMutableRawPointer, removing: Bool) {
  let memory = file.assumingMemoryBound(to: SocketFile.self)
  if removing { memory.pointee.removeIfSame() }
  memory.deinitialize(count: 1)
  memory.deallocate()
}
