internal import CSocketKit
internal import SocketKitCore

/// The location of a Unix socket's file: a path of arbitrary bytes, or a name in an open directory.
struct SocketPath: Sendable {
  private let folder: HeldFolder?
  private let bytes: [CChar]

  /// Returns nil for an address without a file.
  init?(_ address: UnixAddress) {
    guard address.isPath else { return nil }
    folder = nil
    bytes = Self.terminated(address.name)
  }

  init(_ name: [UInt8], in folder: HeldFolder) {
    self.folder = folder
    bytes = Self.terminated(name)
  }

  private init(_ bytes: [CChar], in folder: HeldFolder?) {
    self.folder = folder
    self.bytes = bytes
  }

  /// Returns the path in the same directory with this suffix added to the name.
  func appending(_ suffix: String) -> SocketPath {
    SocketPath(bytes.dropLast() + Self.terminated(Array(suffix.utf8)), in: folder)
  }

  private static func terminated(_ name: [UInt8]) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }

  /// Calls `body` with the directory's descriptor and the name in the directory. `body` must not keep the pointer after
  /// it returns.
  private func with(_ body: (_ folder: Int32, _ name: UnsafePointer<CChar>) -> Int) -> IOResult {
    // The array is passed as a pointer to its first element. It is never empty, because it ends with a zero.
    withExtendedLifetime(folder) {
      unsafe IOResult(raw: body(folder?.descriptor.value ?? CSK_CURRENT_FOLDER, bytes))
    }
  }
}

// The functions of CSocketKit use the name, and the memory for the identity, only during the call.
extension SocketPath {
  /// Opens the file itself (O_PATH), without following a symbolic link. Returns the descriptor.
  func pin() -> IOResult { unsafe with { unsafe csk_pin_file($0, $1, 0) } }

  /// Waits until no bind(2) call is creating the file any more.
  func settle() -> IOResult { unsafe with { unsafe csk_settle_entry($0, $1) } }

  /// Opens or creates a lock file. Returns the descriptor.
  func openLock() -> IOResult { unsafe with { unsafe csk_open_lock($0, $1) } }

  func unlink() -> IOResult { unsafe with { unsafe csk_unlink($0, $1) } }

  fileprivate func identify(_ identity: inout csk_file_identity) -> IOResult {
    unsafe with { unsafe csk_file_identify($0, $1, &identity) }
  }
}

/// A directory that stays open, so that names in it remain valid when the directory is moved.
final class HeldFolder: Sendable {
  private let owned: Descriptor

  init(_ owned: consuming Descriptor) { self.owned = owned }

  var descriptor: RawDescriptor { owned.raw }
}

/// Identifies a file; different files have different identities while both exist.
struct FileIdentity: Hashable, Sendable {
  let isSocket: Bool
  let isEmptyFile: Bool
  private let device: UInt64
  private let inode: UInt64

  /// Identifies the directory entry at the path, without following a symbolic link. Returns nil if the entry does not
  /// exist or cannot be inspected.
  init?(_ path: SocketPath) {
    var identity = csk_file_identity()
    if path.identify(&identity).isFailure { return nil }
    self.init(identity)
  }

  /// Identifies the file that a descriptor refers to.
  init?(_ descriptor: RawDescriptor) {
    var identity = csk_file_identity()
    // The function writes the structure only during the call.
    guard unsafe csk_file_identify(descriptor.value, "", &identity) >= 0 else { return nil }
    self.init(identity)
  }

  private init(_ identity: csk_file_identity) {
    isSocket = identity.is_socket != 0
    isEmptyFile = identity.is_regular != 0 && identity.size == 0
    device = UInt64(identity.device_major) << 32 | UInt64(identity.device_minor)
    inode = identity.inode
  }
}
