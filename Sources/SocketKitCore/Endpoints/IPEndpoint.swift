/// The endpoint of a transport over IP: an address, or the name of a host, which connecting looks up.
///
/// The text is `//127.0.0.1:80`, `//[::1]:80`, `//[fe80::1%eth0]:80`, `//localhost:80`, or `//*:80` for every address
/// of this host (``IPSocketAddress/any(port:)``). The text always ends with a port.
@frozen
public enum IPEndpoint: Hashable, Sendable {
  /// An address with a port.
  case address(IPSocketAddress)
  /// The name of a host in lower case, and a port.
  case host(String, port: UInt16)

  /// The port, from 0 to 65535. With port 0, the kernel chooses the port.
  public var port: UInt16 {
    switch self {
    case .address(let address): address.port
    case .host(_, let port): port
    }
  }

  /// Returns the address of the endpoint. If the endpoint is a name, looks up the addresses of the name, and blocks the
  /// calling thread until the lookup ends.
  /// - Throws: `.nameNotFound`, `.resolverFailed`, `.timedOut`, `.cancelled`. The error contains the name.
  public func addresses(
    until limit: some WaitLimit
  ) throws(SocketError) -> [IPSocketAddress] {
    switch self {
    case .address(let address): [address]
    case .host(let name, let port): try NameLookup(name, port: port).wait(until: limit)
    }
  }
}

extension IPEndpoint {
  /// Reads the text of an endpoint after the scheme, such as `//localhost:80`.
  /// - Throws: ``SocketError/malformed(_:code:)``, whose explanation states what is wrong with the text.
  public init(body: String) throws(SocketError) {
    let text = try Authority.text(of: body, example: "//localhost:80")
    if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
      let (host, port) = (text[...close], text[text.index(after: close)...])
      guard port.hasPrefix(":") else { throw Authority.noPort }
      self = .address(try Self.address(host, port: try Authority.port(port.dropFirst())))
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count > 2 {
      throw .malformed("Write an IPv6 address in brackets, as in //[::1]:80. For other hosts, write //host:80.")
    }
    guard parts.count == 2 else { throw Authority.noPort }
    let port = try Authority.port(parts[1])
    if parts[0] == "*" {
      self = .address(.any(port: port))
    } else if let address = IPv4Address(String(parts[0])) {
      self = .address(IPSocketAddress(address, port: port))
    } else {
      self = .host(try HostName.checked(parts[0]), port: port)
    }
  }

  private static func address(_ host: Substring, port: UInt16) throws(SocketError) -> IPSocketAddress {
    if let address = IPSocketAddress("\(host):\(port)") { return address }
    throw .malformed(
      host.contains("%")
        ? "\(host) is not an IPv6 address with a zone: a zone is the name or number of an interface of this host."
        : "\(host) is not an IPv6 address.")
  }

  /// The canonical text after the scheme.
  public var body: String {
    switch self {
    case .address(let address) where address == .any(port: address.port): "//*:\(address.port)"
    case .address(let address): "//\(address)"
    case .host(let name, let port): "//\(name):\(port)"
    }
  }
}

/// The parser of `//host:port`, for transports with this form of address.
public enum Authority {
  /// Returns the text after the two slashes.
  /// - Parameter example: a valid body, for the error text.
  /// - Throws: ``SocketError/malformed(_:code:)`` if the slashes are missing, no text follows the slashes, or the text
  ///   contains a path, a query or a user.
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

/// The check of host names.
enum HostName {
  /// Returns the name in lower case.
  /// - Throws: ``SocketError/malformed(_:code:)`` for a name that must not be passed to a resolver: a name of more than
  ///   253 bytes, with characters other than letters, digits, `-`, `_` and `.`, with an empty label, or with the form
  ///   of a number.
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
