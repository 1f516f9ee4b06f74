internal import CSocketKit
internal import SocketKitCore

/// The file of a bound Unix socket, known by its inode, so that only the very file that was made is ever removed.
struct SocketFile: Sendable {
  let path: String
  private let device: UInt64
  private let inode: UInt64

  /// nil when the path is not there or no socket.
  init?(_ path: String) {
    var identity = csk_file_identity()
    guard csk_file_identify(path, &identity) >= 0, identity.is_socket != 0 else { return nil }
    self.path = path
    device = UInt64(identity.device_major) << 32 | UInt64(identity.device_minor)
    inode = identity.inode
  }

  func removeIfSame() {
    guard let now = SocketFile(path), now.device == device, now.inode == inode else { return }
    _ = csk_unlink(path)
  }

  /// Removes the file when it is a socket's and no socket is bound there any more. True when it is gone.
  ///
  /// Asked by connecting a datagram socket, which leaves no trace at a live one: a stream or packet socket says EPROTOTYPE,
  /// also while it is bound and does not listen yet. "Refused" then means only that the file has lost its socket.
  static func removeIfDeserted(_ path: String, _ address: UnixAddress) -> Bool {
    guard let file = SocketFile(path) else { return false }
    let number = csk_socket(CSK_AF_UNIX, CSK_SOCK_DGRAM | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, 0)
    guard number >= 0 else { return false }
    let probe = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number)))
    let result = address.withBytes { bytes in
      bytes.withUnsafeBytes { csk_connect(probe.raw.value, $0.baseAddress, UInt32($0.count)) }
    }
    guard result == -Int(CSK_ECONNREFUSED) else { return false }
    file.removeIfSame()
    return SocketFile(path) == nil
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

  init(_ address: UnixAddress) {
    file = nil
    guard let path = address.path, let made = SocketFile(path) else { return }
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
