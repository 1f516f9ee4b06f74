/// A command-line argument or a file name: bytes that are usually, but not necessarily, UTF-8.
public struct Word: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  public init(_ text: String) { bytes = Array(text.utf8) }
  public init(stringLiteral text: String) { self.init(text) }

  /// The arguments of this process, starting with the program's name.
  public static var ofThisProcess: [Word] {
    (0..<Int(CommandLine.argc)).map { index in
      // There are `argc` strings. Each string ends with a zero byte and exists as long as the process exists.
      guard let start = unsafe CommandLine.unsafeArgv[index] else { return "" }
      return unsafe Word(UnsafeRawBufferPointer(start: start, count: length(of: start)))
    }
  }

  /// Returns the length of a text that ends with a zero byte.
  private static func length(of text: UnsafePointer<CChar>) -> Int {
    var length = 0
    while unsafe text[length] != 0 { length += 1 }
    return length
  }

  public var isEmpty: Bool { bytes.isEmpty }

  /// The word as text, for comparisons; bytes that are not UTF-8 are replaced by U+FFFD.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The text for display; bytes that are not UTF-8 are shown as `\xff`.
  public var description: String { decoded { escape($0, after: "\\x") } }

  /// The word in the text form of an address, where `%FF` stands for a byte that is not UTF-8.
  var addressText: String { decoded { escape($0, after: "%").uppercased() } }

  private func decoded(invalid: (UInt8) -> String) -> String {
    var text = ""
    forEachScalar(of: bytes) { scalar in
      text.unicodeScalars.append(scalar)
    } invalid: { byte in
      text += invalid(byte)
    }
    return text
  }

  /// Passes the word as a C string, which exists until the body returns. The word must not contain a zero byte: the
  /// string ends there.
  func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    unsafe (bytes + [0]).withUnsafeBufferPointer { bytes in
      // UInt8 and CChar have the same layout.
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        guard let start = characters.baseAddress else { fatalError("a buffer that is not empty has an address") }
        return unsafe body(start)
      }
    }
  }
}

/// Decodes UTF-8: calls `valid` for each character, and `invalid` for each byte that is not part of a character.
func forEachScalar(of bytes: [UInt8], _ valid: (Unicode.Scalar) -> Void, invalid: (UInt8) -> Void) {
  var parser = Unicode.UTF8.ForwardParser()
  var rest = bytes.makeIterator()
  var place = 0
  while true {
    switch parser.parseScalar(from: &rest) {
    case .valid(let encoded):
      valid(Unicode.UTF8.decode(encoded))
      place += encoded.count
    case .error(let length):
      for byte in bytes[place..<place + length] { invalid(byte) }
      place += length
    case .emptyInput: return
    }
  }
}

/// Formats a byte as `mark` followed by two hexadecimal digits.
func escape(_ byte: UInt8, after mark: String) -> String {
  mark + (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
