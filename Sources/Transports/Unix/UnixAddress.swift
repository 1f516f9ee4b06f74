public import SocketKitCore

/// The address of a Unix socket: a path, an abstract name, or no name (unix(7)).
///
/// A value has the memory layout of the kernel's sockaddr_un. Names are bytes: an abstract name may contain any byte.
@frozen
public struct UnixAddress: SocketAddress, BitwiseCopyable {
  @usableFromInline var storage: InlineArray<14, UInt64>
  @usableFromInline var length: UInt8

  /// The length of the longest abstract name in bytes: 107, because a zero byte precedes the name.
  @inlinable public static var maximumNameLength: Int { 107 }

  /// The length of the longest path in bytes: 108, which fills the kernel's structure and leaves no space for a
  /// terminating zero (unix(7), BUGS). Programs that expect a terminating zero cannot use a path of more than 107
  /// bytes. For longer paths, see `UnixPath`.
  @inlinable public static var maximumPathLength: Int { 108 }

  /// The address without a name. It is the address of a socket that is not bound. If a socket is bound to this address,
  /// the kernel chooses an unused abstract name (autobind, unix(7)), and `localAddress()` returns this name.
  public static var unnamed: UnixAddress { UnixAddress(kind: .unnamed, []) }

  /// Makes the address of a path in the file system.
  /// - Throws: `.addressTooLong` for a path of more than 108 bytes; `.invalidAddress` for an empty path or a path with
  ///   a zero byte.
  public init(path: String) throws(SocketError) {
    let bytes = Array(path.utf8)
    try Self.check(bytes, text: path, isPath: true)
    self.init(kind: .path, bytes)
  }

  /// Makes the address of a path that consists of any bytes except zero.
  /// - Throws: as ``init(path:)-(String)``.
  public init(path bytes: [UInt8]) throws(SocketError) {
    try Self.check(bytes, text: EscapedName.text(bytes), isPath: true)
    self.init(kind: .path, bytes)
  }

  /// Makes the address of a name in the kernel's abstract namespace. An abstract name is not a file, and the kernel
  /// removes the name when the socket is closed. Any program can connect to an abstract name; there are no file
  /// permissions that protect it.
  /// - Throws: `.addressTooLong` for a name of more than 107 bytes; `.invalidAddress` for an empty name.
  public init(abstract name: String) throws(SocketError) {
    let bytes = Array(name.utf8)
    try Self.check(bytes, text: "@\(name)", isPath: false)
    self.init(kind: .abstract, bytes)
  }

  /// Makes the address of an abstract name that consists of any bytes.
  /// - Throws: as ``init(abstract:)-(String)``.
  public init(abstract bytes: [UInt8]) throws(SocketError) {
    try Self.check(bytes, text: "@\(EscapedName.text(bytes))", isPath: false)
    self.init(kind: .abstract, bytes)
  }

  private static func check(_ bytes: [UInt8], text: String, isPath: Bool) throws(SocketError) {
    func failure(_ code: SocketError.Code) -> SocketError {
      SocketError(code: code, .parse).with(address: "\"\(text)\"")
    }
    if bytes.count > (isPath ? maximumPathLength : maximumNameLength) { throw failure(.addressTooLong) }
    if bytes.isEmpty || (isPath && bytes.contains(0)) { throw failure(.invalidAddress) }
  }

  private enum Kind { case unnamed, path, abstract }

  private init(kind: Kind, _ name: [UInt8]) {
    storage = InlineArray(repeating: 0)
    // The length of a path includes the terminating zero if there is space for it. The length of an abstract name
    // includes the leading zero, and must not include a trailing zero.
    length = kind == .unnamed ? 2 : UInt8(min(2 + name.count + 1, 110))
    var words = storage.mutableSpan
    var memory = words.mutableIntegerBytes
    memory.storeBytes(of: UInt16(truncatingIfNeeded: AddressFamily.unix.rawValue), as: UInt16.self)
    let start = kind == .abstract ? 3 : 2
    for (index, byte) in name.enumerated() { memory.storeBytes(of: byte, toByteOffset: start + index, as: UInt8.self) }
  }

  @inlinable public var family: AddressFamily { .unix }

  @inlinable
  public borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    body(storage.span.integerBytes.extracting(first: Int(length)))
  }

  /// Makes an address from at most 111 bytes that begin with AF_UNIX. The kernel's structure has 110 bytes, but the
  /// kernel reports 111 bytes for a path of 108 bytes. Returns nil for other bytes.
  public init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount >= 2, bytes.byteCount <= 111,
      bytes.integer(as: UInt16.self) == UInt16(truncatingIfNeeded: AddressFamily.unix.rawValue)
    else { return nil }
    // The array has its own copy of the bytes.
    let name = unsafe bytes.withUnsafeBytes { unsafe Array($0.dropFirst(2)) }
    if name.isEmpty {
      self.init(kind: .unnamed, [])
    } else if name[0] == 0 {
      guard name.count - 1 <= Self.maximumNameLength else { return nil }
      self.init(kind: .abstract, Array(name.dropFirst()))
    } else {
      // Whether the kernel counts the terminating zero depends on how the path was bound (unix(7), BUGS).
      let path = Array(name.prefix { $0 != 0 })
      guard path.count <= Self.maximumPathLength else { return nil }
      self.init(kind: .path, path)
    }
  }

  /// The empty abstract name. The kernel accepts this name, so it may be the address of a peer.
  /// ``init(abstract:)-(String)`` rejects the name, because users may confuse it with ``unnamed``.
  static var emptyAbstractName: UnixAddress { UnixAddress(kind: .abstract, []) }

  /// The path as human-readable text, or nil if the address is not a path. Bytes that are not UTF-8 are replaced by
  /// U+FFFD, so do not make an address from this text. Use ``name``, which contains the bytes, or ``description``,
  /// which ``init(parsing:)`` can parse.
  public var path: String? { isPath ? String(decoding: name, as: UTF8.self) : nil }
  /// The abstract name without its leading zero, as human-readable text, or nil for other addresses.
  public var abstractName: String? { isAbstract ? String(decoding: name, as: UTF8.self) : nil }
  /// Whether the address has no name.
  public var isUnnamed: Bool { length == 2 }
  /// Whether the address is a path in the file system.
  public var isPath: Bool { length > 2 && !isAbstract }
  /// The bytes of the path or of the abstract name.
  public var name: [UInt8] {
    withBytes { bytes in
      // The array has its own copy of the bytes.
      unsafe bytes.withUnsafeBytes {
        unsafe isUnnamed ? [] : isPath ? Array($0[2...].prefix { $0 != 0 }) : Array($0[3...])
      }
    }
  }
  private var isAbstract: Bool { length > 2 && (storage[0] >> 16) & 0xff == 0 }
}

extension UnixAddress: Hashable {
  public static func == (a: UnixAddress, b: UnixAddress) -> Bool {
    // The bytes of the storage that follow the address are zero.
    a.length == b.length && a.storage.indices.allSatisfy { a.storage[$0] == b.storage[$0] }
  }
  public func hash(into hasher: inout Hasher) {
    // The hasher reads the bytes only during the call.
    withBytes { unsafe $0.withUnsafeBytes { unsafe hasher.combine(bytes: $0) } }
  }
}

extension UnixAddress: LosslessStringConvertible {
  /// Reads the forms that ``init(parsing:)`` reads. Returns nil for any other text.
  public init?(_ description: String) {
    do throws(SocketError) {
      self = try UnixAddress(parsing: description)
    } catch {
      return nil
    }
  }

  /// Parses one of three forms: a path, such as `/run/x.sock`; `@name` for an abstract name; `@` without a name for
  /// ``unnamed``.
  ///
  /// `%` followed by two hexadecimal digits represents a byte (``/SocketKitCore/EscapedName``). Therefore, write `%25`
  /// for `%`, and `%40name` for a path that begins with `@`. To use a path or a name without escapes, call
  /// ``init(path:)-(String)`` or ``init(abstract:)-(String)``.
  /// - Throws: `.addressTooLong`, `.invalidAddress`. The error contains the text and an explanation.
  public init(parsing text: String) throws(SocketError) {
    do throws(SocketError) {
      if text.isEmpty { throw .malformed("A path or a name is missing.") }
      self = try UnixAddress(escaped: Array(text.utf8)[...])
    } catch {
      throw error.with(address: "\"\(text)\"")
    }
  }

  /// The text from which ``init(parsing:)`` makes this address. It is also the body of the endpoint text.
  public var description: String { AnySocketAddress(self).description }
}
