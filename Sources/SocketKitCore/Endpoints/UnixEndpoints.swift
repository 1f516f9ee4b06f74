extension UnixAddress {
  /// Parses the text after the scheme.
  init(body: String) throws(SocketError) {
    if body.isEmpty {
      throw .malformed("The path is missing: unix:/path, unix:@name, or unix:@ for a name that the kernel chooses.")
    }
    // The parser processes bytes and not characters, because a combining accent forms one character with a preceding
    // `@`, `/` or `%`.
    var text = Array(body.utf8)[...]
    if text.starts(with: "//".utf8) {
      guard text.starts(with: "///".utf8), !text.starts(with: "////".utf8) else {
        throw .malformed("A Unix socket has no host: one slash begins a path, as in unix:/run/x.sock.")
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

  /// The canonical text after the scheme.
  var body: String {
    if isUnnamed { return "@" }
    if self == .emptyAbstractName { return EscapedName.escape(0) }
    let text = EscapedName.text(name)
    if !isPath { return "@" + text }
    if name.first == UInt8(ascii: "@") {
      return EscapedName.escape(UInt8(ascii: "@")) + String(text.unicodeScalars.dropFirst())
    }
    // The parser would interpret two slashes at the beginning as the start of a host.
    return name.starts(with: "//".utf8)
      ? "/" + EscapedName.escape(UInt8(ascii: "/")) + String(text.unicodeScalars.dropFirst(2)) : text
  }
}
