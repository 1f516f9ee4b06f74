public import SocketKitCore

/// The endpoint of a transport over IP: an address or the name of a host. If the endpoint is a name, a call that
/// connects to it looks up the addresses of the name.
///
/// The text is `//127.0.0.1:80`, `//[::1]:80`, `//[fe80::1%eth0]:80`, `//localhost:80`, or `//*:80` for every address
/// of this host (``IPSocketAddress/any(port:)``). The text always ends with a port, or with the name of a service, as
/// in `//localhost:http` (services(5)).
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
  /// - Throws: ``/SocketKitCore/SocketError/malformed(_:code:)``, whose explanation states what is wrong with the text.
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

extension EndpointFormat where Endpoint == IPEndpoint, Address == IPSocketAddress {
  /// The format of ``IPEndpoint``, as in `tcp://localhost:80`.
  public static func ip(scheme: String) -> Self {
    Self(
      scheme: scheme,
      parse: { (body) throws(SocketError) in try IPEndpoint(body: body) },
      body: { $0.body },
      endpoint: { .address($0) },
      addresses: { (endpoint, limit) throws(SocketError) in try endpoint.addresses(until: limit) })
  }
}
