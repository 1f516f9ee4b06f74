internal import Glibc
public import SocketKitCore

/// A parser for the endpoint text `//host:port`, which several transports use.
public enum Authority {
  /// Returns the text after the two slashes.
  /// - Parameter example: a valid body, which the error text contains as an example.
  /// - Throws: ``/SocketKitCore/SocketError/malformed(_:code:)`` if the slashes are missing, no text follows the
  ///   slashes, or the text contains a path, a query or a user.
  public static func text(of body: String, example: String) throws(SocketError) -> Substring {
    guard body.hasPrefix("//") else {
      throw .malformed("Two slashes must follow the colon, as in \(example).")
    }
    let text = body.dropFirst(2)
    if text.isEmpty { throw .malformed("Host and port are missing: \(example).") }
    if let wrong = text.first(where: { "/?#@\\".contains($0) }) {
      throw .malformed("\"\(wrong)\" is not allowed in a host or port. Write an endpoint such as \(example).")
    }
    return text
  }

  /// Reads a port: a number from 0 to 65535 in decimal digits without leading zeros, or the name of a service of this
  /// host, such as `http` (services(5)).
  /// - Throws: ``/SocketKitCore/SocketError/malformed(_:code:)`` with the code `.invalidPort`.
  public static func port(_ text: some StringProtocol) throws(SocketError) -> UInt16 {
    var scanner = AddressScanner(String(text))
    if let port = scanner.decimal(upTo: 65535), scanner.isAtEnd { return UInt16(port) }
    if let port = servicePort(String(text)) { return port }
    let explanation = "is not a port: write a number from 0 to 65535, or the name of a service in /etc/services."
    throw .malformed("\"\(text)\" \(explanation)", code: .invalidPort)
  }

  /// Returns the port of a service (getservbyname_r(3)); nil for an unknown name and for a text that is not a name.
  private static func servicePort(_ name: String) -> UInt16? {
    // A name begins with a letter and has at most 32 bytes. IANA assigns names of at most 15 bytes (RFC 6335, 5.1).
    guard let first = name.utf8.first, (97...122).contains(first | 32), name.utf8.count <= 32,
      name.utf8.allSatisfy({ (97...122).contains($0 | 32) || (48...57).contains($0) || [43, 45, 46, 95].contains($0) })
    else { return nil }
    // The entry contains pointers into `memory`. This function reads only the port, which is an integer, and reads none
    // of the pointers.
    var entry = unsafe servent()
    var found: UnsafeMutablePointer<servent>?
    var memory = [CChar](repeating: 0, count: 8192)
    guard unsafe getservbyname_r(name, nil, &entry, &memory, memory.count, &found) == 0, unsafe found != nil
    else { return nil }
    return unsafe UInt16(truncatingIfNeeded: entry.s_port).byteSwapped
  }

  /// The error for a text that contains a host but no port.
  public static var noPort: SocketError { .malformed("The port is missing: //host:port.", code: .invalidPort) }
}
