/// Names that are bytes, as text: `%` and two hexadecimal digits stand for a byte that is no printable text (RFC 3986,
/// 2.1).
public enum EscapedName {
  /// The bytes as text: printable characters as they are, and `%` itself, white space, control and format characters
  /// and whatever is no UTF-8 as `%` with two capital hexadecimal digits a byte.
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

  /// The bytes that a text stands for, given as UTF-8; nil when a `%` lacks its two digits.
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

  static func escape(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.utf8.count == 1 ? "%0" + digits : "%" + digits
  }

  private static func digit(_ byte: UInt8?) -> UInt8? {
    guard let byte, byte < 128 else { return nil }
    return Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
  }

  /// The one character that exactly these bytes are.
  private static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
    guard let text = String(validating: bytes, as: UTF8.self), text.unicodeScalars.count == 1 else { return nil }
    return text.unicodeScalars.first
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == "%" { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned:
      return false
    // One that joins what stands before it would not be seen.
    case .nonspacingMark, .spacingMark, .enclosingMark: return false
    default: return true
    }
  }
}
