internal import CSocketKit
public import SocketKitCore

/// A path to a Unix socket, of any length that the file system accepts: up to 4095 bytes (PATH_MAX).
///
/// ```swift
/// let listener = try UnixStreamSocket.listen(on: UnixPath(folder + "/control.sock"))
/// let client = try UnixStreamSocket.connect(to: UnixPath(folder + "/control.sock"), until: .after(.seconds(5)))
/// ```
/// A path of up to 108 bytes is equivalent to a ``UnixAddress``. A longer path does not fit in the kernel's address
/// structure. For binding, the library therefore opens the directory of the path. To connect, it opens the socket's
/// file instead of the directory, with O_PATH. It reaches the file through `/proc/self/fd`, so /proc must be mounted. A
/// longer path has these consequences:
/// - `localAddress()` of the listener or bound socket, and `remoteAddress()` of a connected peer, return a short name
///   such as `/proc/self/fd/7/control.sock`. This name refers to the file only in the process that bound the socket,
///   and only while the socket is bound.
/// - The directory stays open while the listener or the socket owns the file. This uses one additional descriptor.
/// - For binding, the last component may have at most 93 bytes minus the number of digits in the descriptor's number.
///   For connecting, the last component may have at most 255 bytes.
public struct UnixPath: Hashable, Sendable {
  /// The bytes of the path, as in the file system.
  public let bytes: [UInt8]

  /// Makes a path from the bytes of the file system.
  /// - Throws: `.invalidAddress` for an empty path or a path with a zero byte, `.addressTooLong` for more than 4095
  ///   bytes.
  public init(_ bytes: [UInt8]) throws(SocketError) {
    let code: SocketError.Code? =
      bytes.isEmpty || bytes.contains(0) ? .invalidAddress : bytes.count > 4095 ? .addressTooLong : nil
    if let code {
      throw SocketError(code: code, .parse).with(
        address: "\"\(EscapedName.text(bytes))\"",
        explanation: "A path must have 1 to 4095 bytes and must not contain a zero byte.")
    }
    self.bytes = bytes
  }

  /// Makes a path from a text in UTF-8.
  /// - Throws: the errors of ``init(_:)-([UInt8])``.
  public init(_ text: String) throws(SocketError) { try self.init(Array(text.utf8)) }

  /// The path as an address; nil if it is too long for an address.
  public var address: UnixAddress? {
    bytes.count > UnixAddress.maximumPathLength ? nil : try? UnixAddress(path: bytes)
  }
}

extension UnixPath: CustomStringConvertible {
  /// The path as in the text of an endpoint: `%` and two hexadecimal digits represent a non-printable byte.
  public var description: String { EscapedName.text(bytes) }
}

extension UnixPath {
  /// Returns the error with this path instead of the short name.
  /// - Parameter wasOpened: whether the file, or the directory to bind in, is open. In that case a short name refers to
  ///   the file or the directory if /proc is mounted.
  func named(_ error: SocketError, wasOpened: Bool = true) -> SocketError {
    let needsProc = error.errno == CSK_ENOENT && wasOpened
    return error.with(
      address: description,
      explanation: needsProc && address == nil
        ? "A path longer than 108 bytes is opened through /proc/self/fd. Mount /proc." : nil)
  }

  /// Returns the short name of an open descriptor, or of a file in the directory that the descriptor refers to.
  static func shortName(_ descriptor: RawDescriptor, _ name: [UInt8] = []) throws(SocketError) -> UnixAddress {
    let folder = Array("/proc/self/fd/\(descriptor.value)".utf8)
    return try UnixAddress(path: name.isEmpty ? folder : folder + [UInt8(ascii: "/")] + name)
  }

  /// Opens the socket's file itself, so that a socket can connect to it.
  func pinFile() throws(SocketError) -> Descriptor {
    let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
    // The kernel reads the path, which ends with a zero, only during the call.
    let number = unsafe IOResult(raw: csk_pin_file(CSK_CURRENT_FOLDER, terminated, 1))
    if number.isFailure { throw SocketError(number, .connect) }
    // The kernel has opened this descriptor for the caller.
    return unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
  }

  /// Opens the path's directory for binding. Returns the location of the socket's file in this directory, and a short
  /// address for the file.
  func holdFolder() throws(SocketError) -> (place: SocketPath, address: UnixAddress) {
    let name = Array(bytes.suffix(while: { $0 != UInt8(ascii: "/") }))
    guard !name.isEmpty else {
      throw SocketError(code: .invalidAddress, .bind).with(
        address: description,
        explanation: "The path ends in a slash. Append the name of the socket file.")
    }
    let folder = bytes.dropLast(name.count).map { CChar(bitPattern: $0) } + [0]
    // The kernel reads the path, which ends with a zero, only during the call.
    let number = unsafe IOResult(raw: folder.count == 1 ? csk_pin_folder(".") : csk_pin_folder(folder))
    if number.isFailure { throw named(SocketError(number, .bind)) }
    // The kernel has opened this descriptor for the caller.
    let held = HeldFolder(unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw))))
    do throws(SocketError) {
      return (SocketPath(name, in: held), try Self.shortName(held.descriptor, name))
    } catch {
      throw SocketError(code: .addressTooLong, .bind).with(
        address: description,
        explanation: "The last component is too long. In a path longer than 108 bytes, the last component may have at "
          + "most about 90 bytes.")
    }
  }
}

extension Array where Element == UInt8 {
  fileprivate func suffix(while predicate: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    self[(lastIndex { !predicate($0) }.map { $0 + 1 } ?? 0)...]
  }
}
