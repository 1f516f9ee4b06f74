internal import CSocketKit
public import SocketKitCore

/// A path to a Unix socket, of any length that the file system accepts: up to 4095 bytes (PATH_MAX).
///
/// ```swift
/// let listener = try UnixStreamSocket.listen(on: UnixPath(folder + "/control.sock"))
/// let client = try UnixStreamSocket.connect(to: UnixPath(folder + "/control.sock"), until: .after(.seconds(5)))
/// ```
/// A path of up to 108 bytes is the same as a ``UnixAddress``. A longer one does not fit the kernel's address: the
/// library opens its directory, or for connecting the socket's file itself (O_PATH), and reaches it through
/// `/proc/self/fd`, so /proc must be mounted. This has consequences for a longer path:
/// - `localAddress()` of the listener or bound socket, and `remoteAddress()` of a connected peer, return that short
///   name, `/proc/self/fd/7/control.sock`, which refers to the file only in the process that bound it, while it is
///   bound.
/// - The directory stays open as long as the listener or the socket owns the file: one descriptor more.
/// - For binding, its last component has at most 93 bytes minus the digits of a descriptor's number; for connecting,
///   255.
public struct UnixPath: Hashable, Sendable {
  /// The path as the file system has it.
  public let bytes: [UInt8]

  /// - Throws: `.invalidAddress` for an empty path or one with a zero byte, `.addressTooLong` for more than 4095 bytes.
  public init(_ bytes: [UInt8]) throws(EndpointError) {
    let code: SocketError.Code? =
      bytes.isEmpty || bytes.contains(0) ? .invalidAddress : bytes.count > 4095 ? .addressTooLong : nil
    if let code {
      throw EndpointError(
        SocketError(code: code, .parse), address: "\"\(EscapedName.text(bytes))\"",
        explanation: "A path has 1 to 4095 bytes, none of them zero.")
    }
    self.bytes = bytes
  }

  /// - Throws: as ``init(_:)-([UInt8])``.
  public init(_ text: String) throws(EndpointError) { try self.init(Array(text.utf8)) }

  /// The same as an address; nil when it is too long for one.
  public var address: UnixAddress? {
    bytes.count > UnixAddress.maximumPathLength ? nil : try? UnixAddress(path: bytes)
  }
}

extension UnixPath: CustomStringConvertible {
  /// As in endpoint texts: `%` and two hexadecimal digits stand for what is not printable.
  public var description: String { EscapedName.text(bytes) }
}

extension UnixPath {
  /// The error with this path instead of the short name.
  /// - Parameter wasOpened: whether the file, or the directory to bind in, is open. A short name then leads to it,
  ///   unless /proc is missing.
  func named(_ error: SocketError, wasOpened: Bool = true) -> EndpointError {
    let needsProc = error.errno == CSK_ENOENT && wasOpened
    return EndpointError(
      error, address: description,
      explanation: needsProc && address == nil
        ? "So long a path is reached through /proc/self/fd: /proc must be mounted." : nil)
  }

  /// The short name of an open descriptor, and of a file in it.
  static func shortName(_ descriptor: RawDescriptor, _ name: [UInt8] = []) throws(EndpointError) -> UnixAddress {
    let folder = Array("/proc/self/fd/\(descriptor.value)".utf8)
    return try UnixAddress(path: name.isEmpty ? folder : folder + [UInt8(ascii: "/")] + name)
  }

  /// The file itself, for connecting to it.
  func pinFile() throws(SocketError) -> Descriptor {
    let number = IOResult(
      raw: (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { bytes in
        bytes.baseAddress.map { csk_pin_file(CSK_CURRENT_FOLDER, $0, 1) } ?? 0
      })
    if number.isFailure { throw SocketError(number, .connect) }
    return unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw)))
  }

  /// The directory, held open, and the name in it, for binding there.
  func holdFolder() throws(EndpointError) -> (place: SocketPath, address: UnixAddress) {
    let name = Array(bytes.suffix(while: { $0 != UInt8(ascii: "/") }))
    guard !name.isEmpty else {
      throw EndpointError(
        SocketError(code: .invalidAddress, .bind), address: description, explanation: "The path ends in a slash.")
    }
    let folder = bytes.dropLast(name.count).map { CChar(bitPattern: $0) } + [0]
    let number = IOResult(
      raw: folder.count == 1
        ? csk_pin_folder(".") : folder.withUnsafeBufferPointer { $0.baseAddress.map { csk_pin_folder($0) } ?? 0 })
    if number.isFailure { throw named(SocketError(number, .bind)) }
    let held = HeldFolder(unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number.raw))))
    do throws(EndpointError) {
      return (SocketPath(name, in: held), try Self.shortName(held.descriptor, name))
    } catch {
      throw EndpointError(
        SocketError(code: .addressTooLong, .bind), address: description,
        explanation: "The last part of so long a path may have about 90 bytes.")
    }
  }
}

extension Array where Element == UInt8 {
  fileprivate func suffix(while predicate: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    self[(lastIndex { !predicate($0) }.map { $0 + 1 } ?? 0)...]
  }
}
