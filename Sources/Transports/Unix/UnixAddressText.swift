public import SocketKitCore

extension UnixAddress {
  /// Parses the text after the scheme.
  init(body: String) throws(SocketError) {
    if body.isEmpty {
      throw .malformed(
        "The path is missing. Write unix:/path, unix:@name, or unix:@ for a name that the kernel chooses.")
    }
    // The parser processes bytes and not characters, because a combining accent forms one character with a preceding
    // `@`, `/` or `%`.
    var text = Array(body.utf8)[...]
    if text.starts(with: "//".utf8) {
      guard text.starts(with: "///".utf8), !text.starts(with: "////".utf8) else {
        throw .malformed("A Unix socket has no host. Begin the path with one slash, as in unix:/run/x.sock.")
      }
      text = text.dropFirst(2)
    }
    self = try UnixAddress(escaped: text)
  }

  /// Parses a path, `@name`, or `@` without a name, and replaces the escapes.
  init(escaped text: ArraySlice<UInt8>) throws(SocketError) {
    let isAbstract = text.first == UInt8(ascii: "@")
    guard let name = EscapedName.bytes(unescaping: isAbstract ? text.dropFirst() : text) else {
      throw .malformed("Two hexadecimal digits must follow \"%\". Write \"%\" itself as %25.")
    }
    if isAbstract && name.isEmpty {
      self = .unnamed
      return
    }
    // The text `%00` represents the empty abstract name, because a path cannot contain a zero byte.
    if name == [0] && !isAbstract {
      self = .emptyAbstractName
      return
    }
    let most = isAbstract ? Self.maximumNameLength : Self.maximumPathLength
    if name.count > most {
      throw .malformed(
        "The kernel accepts at most \(most) bytes, but this name has \(name.count) bytes.", code: .addressTooLong)
    }
    do throws(SocketError) {
      self = try isAbstract ? UnixAddress(abstract: name) : UnixAddress(path: name)
    } catch {
      throw .malformed("A path cannot contain a zero byte.", code: error.code)
    }
  }
}

extension EndpointFormat where Endpoint == UnixAddress, Address == UnixAddress {
  /// The format of ``UnixAddress``, as in `unix:/run/x.sock`.
  ///
  /// The body is `/path`, `relative/path`, `@name` for an abstract name, or `@` without a name for
  /// ``UnixAddress/unnamed``. If a listener uses `@` without a name, the kernel chooses the listener's abstract name.
  /// `///path` means `/path`. `%` followed by two hexadecimal digits represents a byte
  /// (``/SocketKitCore/EscapedName``), as in `@a%00b`. `%40name` is a path that begins with `@`.
  public static func unix(scheme: String) -> Self {
    Self(scheme: scheme, parse: { (body) throws(SocketError) in try UnixAddress(body: body) }, body: { $0.description })
  }
}
