public import SocketKitCore

/// The parser of `//host:port`, for transports with this form of address.
public enum Authority {
  /// Returns the text after the two slashes.
  /// - Parameter example: a valid body, for the error text.
  /// - Throws: ``/SocketKitCore/SocketError/malformed(_:code:)`` if the slashes are missing, no text follows the
  ///   slashes, or the text contains a path, a query or a user.
  public static func text(of body: String, example: String) throws(SocketError) -> Substring {
    guard body.hasPrefix("//") else {
      throw .malformed("Two slashes must follow the colon, as in \(example).")
    }
    let text = body.dropFirst(2)
    if text.isEmpty { throw .malformed("Host and port are missing: \(example).") }
    if let wrong = text.first(where: { "/?#@\\".contains($0) }) {
      throw .malformed("\"\(wrong)\" is not allowed in a host and port, as in \(example).")
    }
    return text
  }

  /// Reads a port from 0 to 65535 in decimal digits without leading zeros.
  public static func port(_ text: some StringProtocol) throws(SocketError) -> UInt16 {
    var scanner = AddressScanner(String(text))
    guard let port = scanner.decimal(upTo: 65535), scanner.isAtEnd else {
      throw .malformed("\"\(text)\" is not a port: write a decimal number from 0 to 65535.", code: .invalidPort)
    }
    return UInt16(port)
  }

  /// The error for a text that contains a host but no port.
  public static var noPort: SocketError { .malformed("The port is missing: //host:port.", code: .invalidPort) }
}
