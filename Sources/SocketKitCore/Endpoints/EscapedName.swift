/// The text form of names that consist of bytes. `%` and two hexadecimal digits represent a byte that is not printable
/// text (RFC 3986, 2.1).
public enum EscapedName {
  /// Returns the bytes as text. Printable characters are unchanged. The function escapes `%`, characters that are not
  /// printable, and invalid UTF-8: it replaces each of their bytes with `%` and two upper-case hexadecimal digits. The
  /// characters that are not printable are white space, combining marks, and control, format, private-use and
  /// unassigned characters.
  public static func text(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    var rest = Array(bytes)[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
      let part = rest.prefix(length)
      if let scalar = scalar(part), isPlain(scalar) {
        text.unicodeScalars.append(scalar)
        rest = rest.dropFirst(length)
      } else {
        text += escape(first)
        rest = rest.dropFirst()
      }
    }
    return text
  }

  /// Returns the bytes that a text in UTF-8 represents, or nil if a `%` is not followed by two hexadecimal digits.
  public static func bytes(unescaping text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = Array(text)[...]
    while let first = rest.popFirst() {
      guard first == UInt8(ascii: "%") else {
        bytes.append(first)
        continue
      }
      guard let high = digit(rest.popFirst()), let low = digit(rest.popFirst()) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func escape(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.utf8.count == 1 ? "%0" + digits : "%" + digits
  }

  private static func digit(_ byte: UInt8?) -> UInt8? {
    guard let byte, byte < 128 else { return nil }
    return Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
  }

  /// Returns the Unicode scalar that the bytes encode, or nil if the bytes do not encode exactly one scalar.
  private static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
    guard let text = String(validating: bytes, as: UTF8.self), text.unicodeScalars.count == 1 else { return nil }
    return text.unicodeScalars.first
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == "%" { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned:
      return false
    // A combining mark joins the preceding character, so it would not be visible as a separate character.
    case .nonspacingMark, .spacingMark, .enclosingMark: return false
    default: return true
    }
  }
}
