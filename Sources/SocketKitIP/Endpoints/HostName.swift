internal import SocketKitCore

/// The check of host names.
enum HostName {
  /// Returns the name in lower case.
  /// - Throws: ``/SocketKitCore/SocketError/malformed(_:code:)`` for a name that must not be passed to a resolver: an
  ///   empty name; a name of more than 253 bytes; a name with an empty label, except that a name may end with a dot; a
  ///   name with characters other than letters, digits, `-`, `_` and `.`; a name whose last label consists of digits or
  ///   begins with `0x`.
  static func checked(_ text: Substring) throws(SocketError) -> String {
    if text.isEmpty { throw .malformed("The host is missing; \"*\" means every address of this host.") }
    if text.utf8.count > 253 { throw .malformed("A name has at most 253 bytes (RFC 1035).", code: .addressTooLong) }
    let isName = text.utf8.allSatisfy {
      (97...122).contains($0 | 32) || (48...57).contains($0) || [45, 46, 95].contains($0)
    }
    guard isName, text.split(separator: ".", omittingEmptySubsequences: false).dropLast().allSatisfy({ !$0.isEmpty })
    else {
      throw .malformed("\"\(text)\" is neither an address nor a name of letters, digits, \"-\", \"_\" and \".\".")
    }
    // A resolver parses 127.1 and 0x7f000001 as addresses (inet_aton(3)), and treats 256.0.0.1 as a name.
    let last = text.split(separator: ".").last ?? ""
    if last.utf8.allSatisfy({ (48...57).contains($0) }) || last.lowercased().hasPrefix("0x") {
      throw .malformed("\"\(text)\" looks like an IPv4 address but is not one: write four numbers from 0 to 255.")
    }
    return text.lowercased()
  }
}
