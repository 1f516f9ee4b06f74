/// The address of a Unix socket: a path, an abstract name, or none (unix(7)).
///
/// Its memory is the kernel's sockaddr_un. Names are bytes: any byte may stand in an abstract name.
@frozen
public struct UnixAddress: SocketAddress, BitwiseCopyable {
  @usableFromInline var storage: InlineArray<14, UInt64>
  @usableFromInline var length: UInt8

  /// The longest abstract name, in bytes: 107, because a zero byte precedes it.
  @inlinable public static var maximumNameLength: Int { 107 }

  /// The longest path, in bytes: 108, which fills the kernel's structure and leaves no room for a terminating zero
  /// (unix(7), BUGS). Programs that expect one cannot name a path of more than 107. For longer paths see `UnixPath`.
  @inlinable public static var maximumPathLength: Int { 108 }

  /// No name: what a socket has before it is bound, and what an unbound peer shows. Binding or listening there lets the
  /// kernel choose an abstract name that nobody has (autobind, unix(7)); `localAddress()` tells which.
  public static var unnamed: UnixAddress { UnixAddress(kind: .unnamed, []) }

  /// A path in the file system.
  /// - Throws: `.addressTooLong` over 108 bytes; `.invalidAddress` for an empty path or one with a zero byte.
  public init(path: String) throws(EndpointError) {
    let bytes = Array(path.utf8)
    try Self.check(bytes, text: path, isPath: true)
    self.init(kind: .path, bytes)
  }

  /// A path of any bytes, as file systems have them.
  /// - Throws: as ``init(path:)-(String)``.
  public init(path bytes: [UInt8]) throws(EndpointError) {
    try Self.check(bytes, text: EscapedName.text(bytes), isPath: true)
    self.init(kind: .path, bytes)
  }

  /// A name in the kernel's abstract namespace: no file, gone with its socket. Any program that knows the name can
  /// connect; file permissions do not protect it.
  /// - Throws: `.addressTooLong` over 107 bytes; `.invalidAddress` for an empty name.
  public init(abstract name: String) throws(EndpointError) {
    let bytes = Array(name.utf8)
    try Self.check(bytes, text: "@\(name)", isPath: false)
    self.init(kind: .abstract, bytes)
  }

  /// A name of any bytes in the kernel's abstract namespace.
  /// - Throws: as ``init(abstract:)-(String)``.
  public init(abstract bytes: [UInt8]) throws(EndpointError) {
    try Self.check(bytes, text: "@\(EscapedName.text(bytes))", isPath: false)
    self.init(kind: .abstract, bytes)
  }

  private static func check(_ bytes: [UInt8], text: String, isPath: Bool) throws(EndpointError) {
    func failure(_ code: SocketError.Code) -> EndpointError {
      EndpointError(SocketError(code: code, .parse), address: "\"\(text)\"")
    }
    if bytes.count > (isPath ? maximumPathLength : maximumNameLength) { throw failure(.addressTooLong) }
    if bytes.isEmpty || (isPath && bytes.contains(0)) { throw failure(.invalidAddress) }
  }

  private enum Kind { case unnamed, path, abstract }

  private init(kind: Kind, _ name: [UInt8]) {
    storage = InlineArray(repeating: 0)
    // The length of a path includes its terminating zero, where there is room for one. That of an abstract name
    // includes its leading zero, and must include no trailing one.
    length = kind == .unnamed ? 2 : UInt8(min(2 + name.count + 1, 110))
    withUnsafeMutableBytes(of: &storage) { memory in
      memory.storeBytes(of: UInt16(truncatingIfNeeded: AddressFamily.unix.rawValue), as: UInt16.self)
      for (index, byte) in name.enumerated() { memory[(kind == .abstract ? 3 : 2) + index] = byte }
    }
  }

  @inlinable public var family: AddressFamily { .unix }

  @inlinable
  public borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    body(storage.span.bytes.extracting(first: Int(length)))
  }

  /// nil unless the bytes begin with AF_UNIX and are at most 110, or 111 as the kernel reports a path of 108 bytes.
  public init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount >= 2, bytes.byteCount <= 111,
      bytes.unsafeLoadUnaligned(as: UInt16.self) == UInt16(truncatingIfNeeded: AddressFamily.unix.rawValue)
    else { return nil }
    let name = bytes.withUnsafeBytes { Array($0.dropFirst(2)) }
    if name.isEmpty {
      self.init(kind: .unnamed, [])
    } else if name[0] == 0 {
      guard name.count - 1 <= Self.maximumNameLength else { return nil }
      self.init(kind: .abstract, Array(name.dropFirst()))
    } else {
      // The kernel counts the terminating zero or not, by how the path was bound (unix(7), BUGS).
      let path = Array(name.prefix { $0 != 0 })
      guard path.count <= Self.maximumPathLength else { return nil }
      self.init(kind: .path, path)
    }
  }

  /// The empty abstract name. The kernel accepts it, so a peer may have it. ``init(abstract:)-(String)`` refuses it,
  /// because it is easily confused with ``unnamed``.
  static var emptyAbstractName: UnixAddress { UnixAddress(kind: .abstract, []) }

  /// The path for people to read, or nil for other kinds. Bytes that are not UTF-8 become U+FFFD, so do not make an
  /// address from this text: use ``name``, which has the bytes, or ``description``, which ``init(parsing:)`` reads.
  public var path: String? { isPath ? String(decoding: name, as: UTF8.self) : nil }
  /// The abstract name without its leading zero, for people to read, or nil for other kinds.
  public var abstractName: String? { isAbstract ? String(decoding: name, as: UTF8.self) : nil }
  public var isUnnamed: Bool { length == 2 }
  /// Whether it is a path in the file system.
  public var isPath: Bool { length > 2 && !isAbstract }
  /// The path's or abstract name's bytes.
  public var name: [UInt8] {
    withBytes { bytes in
      bytes.withUnsafeBytes { isUnnamed ? [] : isPath ? Array($0[2...].prefix { $0 != 0 }) : Array($0[3...]) }
    }
  }
  private var isAbstract: Bool { length > 2 && (storage[0] >> 16) & 0xff == 0 }
}

extension UnixAddress: Hashable {
  public static func == (a: UnixAddress, b: UnixAddress) -> Bool {
    a.withBytes { left in b.withBytes { right in sameBytes(left, right) } }
  }
  public func hash(into hasher: inout Hasher) {
    withBytes { $0.withUnsafeBytes { hasher.combine(bytes: $0) } }
  }
}

extension UnixAddress: LosslessStringConvertible {
  /// Reads what ``init(parsing:)`` reads; nil for anything else.
  public init?(_ description: String) {
    do throws(EndpointError) {
      self = try UnixAddress(parsing: description)
    } catch {
      return nil
    }
  }

  /// Reads `/run/x.sock` or any other path, `@name` for an abstract name, and `@` alone for ``unnamed``.
  ///
  /// `%` and two hexadecimal digits stand for any byte (``EscapedName``), so `%` itself is written `%25`; `%40name` is
  /// a path that begins with `@`. To use a path or a name without escapes, call ``init(path:)-(String)`` or
  /// ``init(abstract:)-(String)``.
  /// - Throws: `.addressTooLong`, `.invalidAddress`, with the text and an explanation.
  public init(parsing text: String) throws(EndpointError) {
    do throws(EndpointError) {
      if text.isEmpty { throw .malformed("A path or a name is missing.") }
      self = try UnixAddress(escaped: Array(text.utf8)[...])
    } catch {
      throw error.about(text)
    }
  }

  /// The text that ``init(parsing:)`` reads as this address; also the body of its endpoint text.
  public var description: String { endpointBody }
}
