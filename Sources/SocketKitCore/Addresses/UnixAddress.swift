/// The address of a Unix socket: a path, an abstract name, or none (unix(7)).
///
/// Its memory is the kernel's sockaddr_un. Names are bytes: any byte may stand in an abstract name.
@frozen
public struct UnixAddress: SocketAddress, BitwiseCopyable {
  @usableFromInline var storage: InlineArray<14, UInt64>
  @usableFromInline var length: UInt8

  /// The longest path or abstract name, in bytes: 107, which leaves room for a path's terminating zero and an abstract
  /// name's leading one.
  @inlinable public static var maximumNameLength: Int { 107 }

  /// No name: what a socket has before it is bound, and what an unbound peer shows. Binding or listening there lets the
  /// kernel choose an abstract name that nobody has (autobind, unix(7)); `localAddress()` tells which.
  public static var unnamed: UnixAddress { UnixAddress(kind: .unnamed, []) }

  /// A path in the file system.
  /// - Throws: `.addressTooLong` over 107 bytes; `.invalidAddress` for an empty path or one with a zero byte.
  public init(path: String) throws(EndpointError) {
    let bytes = Array(path.utf8)
    try Self.check(bytes, text: path, allowZero: false)
    self.init(kind: .path, bytes)
  }

  /// A path of any bytes, as file systems have them.
  /// - Throws: as ``init(path:)-(String)``.
  public init(path bytes: [UInt8]) throws(EndpointError) {
    try Self.check(bytes, text: EscapedName.text(bytes), allowZero: false)
    self.init(kind: .path, bytes)
  }

  /// A name in the kernel's abstract namespace: no file, gone with its socket. Any program that knows the name can
  /// connect; file permissions do not protect it.
  /// - Throws: `.addressTooLong` over 107 bytes; `.invalidAddress` for an empty name.
  public init(abstract name: String) throws(EndpointError) {
    let bytes = Array(name.utf8)
    try Self.check(bytes, text: "@\(name)", allowZero: true)
    self.init(kind: .abstract, bytes)
  }

  /// A name of any bytes in the kernel's abstract namespace.
  /// - Throws: as ``init(abstract:)-(String)``.
  public init(abstract bytes: [UInt8]) throws(EndpointError) {
    try Self.check(bytes, text: "@\(EscapedName.text(bytes))", allowZero: true)
    self.init(kind: .abstract, bytes)
  }

  private static func check(_ bytes: [UInt8], text: String, allowZero: Bool) throws(EndpointError) {
    func failure(_ code: SocketError.Code) -> EndpointError {
      EndpointError(SocketError(code: code, .parse), address: "\"\(text)\"")
    }
    if bytes.count > maximumNameLength { throw failure(.addressTooLong) }
    if bytes.isEmpty || (!allowZero && bytes.contains(0)) { throw failure(.invalidAddress) }
  }

  private enum Kind { case unnamed, path, abstract }

  private init(kind: Kind, _ name: [UInt8]) {
    storage = InlineArray(repeating: 0)
    // A path counts its terminating zero, an abstract name has a leading one and must not count a trailing one.
    length = kind == .unnamed ? 2 : UInt8(2 + name.count + 1)
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

  /// nil unless the bytes begin with AF_UNIX and are at most 110.
  public init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount >= 2, bytes.byteCount <= 110,
      bytes.unsafeLoadUnaligned(as: UInt16.self) == UInt16(truncatingIfNeeded: AddressFamily.unix.rawValue)
    else { return nil }
    let name = bytes.withUnsafeBytes { Array($0.dropFirst(2)) }
    if name.isEmpty {
      self.init(kind: .unnamed, [])
    } else if name[0] == 0 {
      guard name.count > 1 else { return nil }
      self.init(kind: .abstract, Array(name.dropFirst()))
    } else {
      // The kernel counts the terminating zero or not, by how the path was bound (unix(7), BUGS).
      let path = Array(name.prefix { $0 != 0 })
      guard path.count <= Self.maximumNameLength else { return nil }
      self.init(kind: .path, path)
    }
  }

  /// The path, or nil for other kinds. Bytes that are no UTF-8 are shown as U+FFFD.
  public var path: String? { isPath ? String(decoding: name, as: UTF8.self) : nil }
  /// The abstract name without its leading zero, or nil for other kinds.
  public var abstractName: String? { isAbstract ? String(decoding: name, as: UTF8.self) : nil }
  public var isUnnamed: Bool { length == 2 }
  /// The path's or abstract name's bytes.
  public var name: [UInt8] {
    withBytes { bytes in
      bytes.withUnsafeBytes { isUnnamed ? [] : isPath ? Array($0[2..<$0.count - 1]) : Array($0[3...]) }
    }
  }
  private var isPath: Bool { length > 2 && !isAbstract }
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
  /// Reads `/run/x.sock` or any other path, and `@name` for an abstract name; nil for anything too long or empty. A path
  /// that begins with `@` is written `./@name`.
  public init?(_ description: String) {
    do throws(EndpointError) {
      self = try UnixAddress(parsing: description)
    } catch {
      return nil
    }
  }

  /// Reads what ``init(_:)`` reads, and says what is wrong with anything else.
  /// - Throws: `.addressTooLong`, `.invalidAddress`, with the text.
  public init(parsing text: String) throws(EndpointError) {
    if text.hasPrefix("@") {
      try self.init(abstract: String(text.dropFirst()))
    } else {
      try self.init(path: text)
    }
  }

  public var description: String {
    if isUnnamed { return "unnamed" }
    return isAbstract ? "@" + String(decoding: name, as: UTF8.self) : String(decoding: name, as: UTF8.self)
  }
}
