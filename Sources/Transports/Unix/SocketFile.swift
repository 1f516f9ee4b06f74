internal import CSocketKit
internal import SocketKitCore

/// The file of a bound Unix socket, identified by its inode, so that no other file is ever removed. The socket keeps
/// the inode allocated while it lives, so no other file has its number.
struct SocketFile: Sendable {
  let path: SocketPath
  private let identity: FileIdentity

  /// nil when the path is not there or no socket.
  init?(_ path: SocketPath) {
    guard let identity = FileIdentity(path), identity.isSocket else { return nil }
    self.path = path
    self.identity = identity
  }

  func removeIfSame() {
    if FileIdentity(path) == identity { _ = path.unlink() }
  }
}

/// The path that a socket made by binding, removed when the socket goes: one word, and nothing to count.
@frozen
@usableFromInline
struct BoundPath: ~Copyable, @unchecked Sendable {
  /// A ``SocketFile`` of its own, or nil.
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

  /// Leaves the path where it is.
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
