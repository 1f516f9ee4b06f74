// The property of Unix addresses that this module uses: their text. The type UnixAddress is in the module
// SocketKitUnix.

extension AnySocketAddress {
  /// The canonical text of a Unix address, with escapes: the path; `@` followed by the abstract name; or `@` alone for
  /// an address without a name. This property is nil for addresses that are not Unix addresses (unix(7)).
  var unixText: String? {
    guard family == .unix else { return nil }
    let name = withBytes { bytes in (2..<bytes.byteCount).map { bytes.integer(at: $0, as: UInt8.self) } }
    guard let first = name.first else { return "@" }
    // The empty abstract name differs from an address without a name.
    if name == [0] { return "%00" }
    if first == 0 { return "@" + EscapedName.text(name.dropFirst()) }
    let path = name.prefix { $0 != 0 }
    let text = EscapedName.text(path)
    // A parser would interpret `@` at the beginning as the start of an abstract name.
    if first == UInt8(ascii: "@") { return "%40" + String(text.unicodeScalars.dropFirst()) }
    // A parser of endpoints would interpret two slashes at the beginning as the start of a host.
    return path.starts(with: "//".utf8) ? "/%2F" + String(text.unicodeScalars.dropFirst(2)) : text
  }
}
