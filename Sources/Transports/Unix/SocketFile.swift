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

  /// Removes the file when it is a socket that nobody listens on. True when it is gone.
  static func removeIfDeserted(_ path: String, _ address: UnixAddress) -> Bool {
    guard let file = SocketFile(path) else { return false }
    let number = csk_socket(CSK_AF_UNIX, CSK_SOCK_STREAM | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, 0)
    guard number >= 0 else { return false }
    let probe = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number)))
    let result = address.withBytes { bytes in
      bytes.withUnsafeBytes { csk_connect(probe.raw.value, $0.baseAddress, UInt32($0.count)) }
    }
    // Only "refused" means that no socket is bound there. A full backlog (EAGAIN) or another type (EPROTOTYPE) is alive.
    guard result == -Int(CSK_ECONNREFUSED) else { return false }
    file.removeIfSame()
    return SocketFile(path) == nil
  }
}
