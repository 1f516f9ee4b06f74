internal import CSocketKit
internal import SocketKitCore

/// Where a Unix socket's file is: a path of any bytes, or a name in a directory that is held open.
struct SocketPath: Sendable {
  private let folder: HeldFolder?
  private let bytes: [CChar]

  /// nil for an address without a file.
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

  /// The file in the same directory whose name has this suffix added.
  func appending(_ suffix: String) -> SocketPath {
    SocketPath(bytes.dropLast() + Self.terminated(Array(suffix.utf8)), in: folder)
  }

  private static func terminated(_ name: [UInt8]) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }

  /// Gives a system call the directory's descriptor and the name in it.
  func with<R>(_ body: (_ folder: Int32, _ name: UnsafePointer<CChar>) -> R) -> R {
    // The array is passed as a pointer to its first element. It has one at least: the terminating zero.
    withExtendedLifetime(folder) { body(folder?.descriptor.value ?? CSK_CURRENT_FOLDER, bytes) }
  }

  func unlink() -> IOResult { IOResult(raw: with { csk_unlink($0, $1) }) }
}

/// A directory that stays open, so that names in it stay valid when it is moved.
final class HeldFolder: Sendable {
  private let owned: Descriptor

  init(_ owned: consuming Descriptor) { self.owned = owned }

  var descriptor: RawDescriptor { owned.raw }
}

/// Tells one file from another, as long as both exist.
struct FileIdentity: Hashable, Sendable {
  let isSocket: Bool
  let isEmptyFile: Bool
  private let device: UInt64
  private let inode: UInt64

  /// The path's own entry; symbolic links are not followed. nil when it does not exist or cannot be inspected.
  init?(_ path: SocketPath) {
    var identity = csk_file_identity()
    guard path.with({ csk_file_identify($0, $1, &identity) }) >= 0 else { return nil }
    self.init(identity)
  }

  /// The file that a descriptor names.
  init?(_ descriptor: RawDescriptor) {
    var identity = csk_file_identity()
    guard csk_file_identify(descriptor.value, "", &identity) >= 0 else { return nil }
    self.init(identity)
  }

  private init(_ identity: csk_file_identity) {
    isSocket = identity.is_socket != 0
    isEmptyFile = identity.is_regular != 0 && identity.size == 0
    device = UInt64(identity.device_major) << 32 | UInt64(identity.device_minor)
    inode = identity.inode
  }
}
