public import SocketKitCore
public import SocketKitIP

/// The endpoint of an SCTP peer: either its addresses, which have one common port, or a name that is resolved when
/// connecting.
///
/// Examples of the text: `//10.0.0.1,10.0.1.1:38412`, `//[fe80::1%eth0],10.0.0.1:80`. For a single address or name, all
/// forms of ``/SocketKitIP/IPEndpoint`` are valid, such as `//localhost:80` and `//*:80`.
public enum SCTPEndpoint: Hashable, Sendable {
  /// The addresses of the peer, all with one port.
  case addresses(SCTPAddressList)
  /// A host name in lower case.
  case host(String, port: UInt16)

  /// The maximum number of addresses in one endpoint.
  public static var maximumAddresses: Int { 64 }
}

extension SCTPEndpoint {
  /// Reads the text after the scheme.
  init(body: String) throws(SocketError) {
    let text = try Authority.text(of: body, example: "//10.0.0.1,10.0.1.1:80")
    let parts = SCTPAddressList.parts(of: text) { $0 == "," }
    if parts.count > Self.maximumAddresses {
      throw .malformed("The list has \(parts.count) addresses; at most \(Self.maximumAddresses) are allowed.")
    }
    let last = try IPEndpoint(body: "//\(parts[parts.count - 1])")
    guard parts.count > 1 else {
      self = try Self(last)
      return
    }
    var addresses: [IPSocketAddress] = []
    for part in parts {
      // The last part already has the port.
      let endpoint = addresses.count + 1 == parts.count ? last : try IPEndpoint(body: "//\(part):\(last.port)")
      guard case .address(let address) = endpoint, part.first != "*" else {
        throw .malformed("A list must contain only addresses, not names: \(part).")
      }
      addresses.append(address)
    }
    if Set(addresses).count < addresses.count { throw .malformed("An address appears twice. Remove the duplicate.") }
    self = try Self.list(addresses)
  }

  init(_ address: IPSocketAddress) {
    guard let list = SCTPAddressList([address]) else { preconditionFailure("one address has one port") }
    self = .addresses(list)
  }

  func addresses(until limit: some WaitLimit) throws(SocketError) -> [IPSocketAddress] {
    switch self {
    case .addresses(let list): list.addresses
    case .host(let name, let port): try IPEndpoint.host(name, port: port).addresses(until: limit)
    }
  }

  private init(_ endpoint: IPEndpoint) throws(SocketError) {
    switch endpoint {
    case .address(let address): self = try Self.list([address])
    case .host(let name, let port): self = .host(name, port: port)
    }
  }

  private static func list(_ addresses: [IPSocketAddress]) throws(SocketError) -> SCTPEndpoint {
    guard let list = SCTPAddressList(addresses) else { throw .malformed("All addresses must have the same port.") }
    return .addresses(list)
  }

  /// The canonical text after the scheme.
  var body: String {
    switch self {
    case .addresses(let list) where list.addresses.count == 1: IPEndpoint.address(list.addresses[0]).body
    case .addresses(let list): "//\(list)"
    case .host(let name, let port): IPEndpoint.host(name, port: port).body
    }
  }
}

/// `sctp://10.0.0.1,10.0.1.1:38412`: see ``SCTPEndpoint``.
extension SCTPSocket {
  public typealias Endpoint = SCTPEndpoint
  public static var endpointFormat: EndpointFormat<SCTPEndpoint, IPSocketAddress> {
    EndpointFormat(
      scheme: "sctp",
      parse: { (body) throws(SocketError) in try SCTPEndpoint(body: body) },
      body: { $0.body },
      endpoint: { SCTPEndpoint($0) },
      addresses: { (endpoint, limit) throws(SocketError) in try endpoint.addresses(until: limit) })
  }

  /// Connects to any address of a list (connectx), or to one of the addresses of a name
  /// (``/SocketKitIP/HappyEyeballs``).
  public static func open(
    connectedTo endpoint: SCTPEndpoint, from source: IPSocketAddress?, until limit: some WaitLimit,
    configure: (borrowing SCTPSocket) throws -> Void
  ) throws(SocketError) -> SCTPSocket {
    switch endpoint {
    case .addresses(let list):
      return try connect(
        toAny: list.addresses, from: source.map { [$0] } ?? [], until: limit, configure: configure)
    case .host(let name, let port):
      return try HappyEyeballs().connect(
        to: .host(name, port: port), from: source, until: limit, configure: configure)
    }
  }

  /// Binds to all addresses of a list, or to the first address of a name.
  public static func open(
    boundTo endpoint: SCTPEndpoint, until limit: some WaitLimit, configure: (borrowing SCTPSocket) throws -> Void
  ) throws(SocketError) -> SCTPSocket {
    let addresses = try endpoint.addresses(until: limit)
    if case .host = endpoint { return try bound(to: Array(addresses.prefix(1)), configure: configure) }
    return try bound(to: addresses, configure: configure)
  }
}
