public import SocketKitCore

/// The location of an SCTP peer: its addresses, all with one port, or a name that is resolved when connecting.
///
/// As text: `//10.0.0.1,10.0.1.1:38412`, `//[fe80::1%eth0],10.0.0.1:80`, and for one address the forms of
/// ``IPLocation``: `//localhost:80`, `//*:80`.
public enum SCTPLocation: Hashable, Sendable {
  case addresses(SCTPAddressList)
  /// A host name in lower case.
  case host(String, port: UInt16)

  /// The maximum number of addresses in one location.
  public static var maximumAddresses: Int { 64 }
}

extension SCTPLocation: EndpointLocation {
  public init(endpointBody body: String) throws(EndpointError) {
    let text = try Authority.text(of: body, example: "//10.0.0.1,10.0.1.1:80")
    let parts = SCTPAddressList.parts(of: text) { $0 == "," }
    if parts.count > Self.maximumAddresses {
      throw .malformed("The list has \(parts.count) addresses; at most \(Self.maximumAddresses) are allowed.")
    }
    let last = try IPLocation(endpointBody: "//\(parts[parts.count - 1])")
    guard parts.count > 1 else {
      self = try Self(last)
      return
    }
    var addresses: [IPSocketAddress] = []
    for part in parts {
      // The last part already has the port.
      let location = addresses.count + 1 == parts.count ? last : try IPLocation(endpointBody: "//\(part):\(last.port)")
      guard case .address(let address) = location, part.first != "*" else {
        throw .malformed("A list must contain addresses and no names: \(part).")
      }
      addresses.append(address)
    }
    if Set(addresses).count < addresses.count { throw .malformed("An address appears twice. Remove the duplicate.") }
    self = try Self.list(addresses)
  }

  private init(_ location: IPLocation) throws(EndpointError) {
    switch location {
    case .address(let address): self = try Self.list([address])
    case .host(let name, let port): self = .host(name, port: port)
    }
  }

  private static func list(_ addresses: [IPSocketAddress]) throws(EndpointError) -> SCTPLocation {
    guard let list = SCTPAddressList(addresses) else { throw .malformed("All addresses must have the same port.") }
    return .addresses(list)
  }

  public var endpointBody: String {
    switch self {
    case .addresses(let list) where list.addresses.count == 1: IPLocation.address(list.addresses[0]).endpointBody
    case .addresses(let list): "//\(list)"
    case .host(let name, let port): IPLocation.host(name, port: port).endpointBody
    }
  }
}

/// `sctp://10.0.0.1,10.0.1.1:38412`: see ``SCTPLocation``.
extension SCTPSocket: NamedConnectionTransport {
  public typealias Location = SCTPLocation
  public static var scheme: String { "sctp" }

  public static func location(of address: IPSocketAddress) -> SCTPLocation {
    guard let list = SCTPAddressList([address]) else { preconditionFailure("one address has one port") }
    return .addresses(list)
  }

  public static func addresses(
    of location: SCTPLocation, until limit: some WaitLimit
  ) throws(EndpointError) -> [IPSocketAddress] {
    switch location {
    case .addresses(let list): list.addresses
    case .host(let name, let port): try IPLocation.host(name, port: port).addresses(until: limit)
    }
  }

  /// Connects to any address of a list (connectx), or races connects to the addresses of a name.
  public static func connect(
    at location: SCTPLocation, until limit: some WaitLimit,
    configure: (borrowing SCTPSocket) throws(SocketError) -> Void
  ) throws(EndpointError) -> SCTPSocket {
    switch location {
    case .addresses(let list):
      try connect(toAny: list.addresses, until: limit, configure: configure)
    case .host(let name, let port):
      try connect(toHost: name, port: port, until: limit, configure: configure)
    }
  }

  /// Listens on all addresses of a list, or on the first address of a name.
  public static func listen(
    at location: SCTPLocation, until limit: some WaitLimit,
    configure: (borrowing SCTPSocket) throws(SocketError) -> Void
  ) throws(EndpointError) -> Listener<SCTPSocket> {
    let addresses = try addresses(of: location, until: limit)
    if case .host = location { return try listen(on: Array(addresses.prefix(1)), configure: configure) }
    return try listen(on: addresses, configure: configure)
  }
}
