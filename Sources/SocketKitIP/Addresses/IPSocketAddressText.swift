public import SocketKitCore

extension IPSocketAddress {
  /// Parses a text such as `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80` or `[fe80::1%2]:80`.
  ///
  /// A zone name is the name of an interface of this host (netdevice(7)).
  /// - Throws: `.invalidAddress` or `.invalidPort`. The error contains the text.
  public init(parsing text: String) throws(SocketError) {
    var scanner = AddressScanner(text)
    func failure(_ code: SocketError.Code) -> SocketError {
      SocketError(code: code, .parse).with(address: "\"\(text)\"")
    }
    if scanner.take("[") {
      guard let address = scanner.ipv6() else { throw failure(.invalidAddress) }
      var scope: UInt32 = 0
      if scanner.take("%") {
        guard let zone = scanner.text(upTo: "]"), let number = InterfaceNames.index(ofZone: zone) else {
          throw failure(.invalidAddress)
        }
        scope = number
      }
      guard scanner.take("]"), scanner.take(":") else { throw failure(.invalidAddress) }
      guard let port = scanner.decimal(upTo: 65535), scanner.isAtEnd else { throw failure(.invalidPort) }
      self.init(address, port: UInt16(port), scopeID: scope)
    } else {
      guard let address = scanner.ipv4(), scanner.take(":") else { throw failure(.invalidAddress) }
      guard let port = scanner.decimal(upTo: 65535), scanner.isAtEnd else { throw failure(.invalidPort) }
      self.init(address, port: UInt16(port))
    }
  }
}

extension IPSocketAddress: LosslessStringConvertible {
  /// Reads the forms that ``init(parsing:)`` reads. Returns nil for any other text.
  public init?(_ description: String) {
    do throws(SocketError) {
      self = try IPSocketAddress(parsing: description)
    } catch {
      return nil
    }
  }

  /// The text `127.0.0.1:80`, `[::1]:80` or `[fe80::1%eth0]:80`. The zone is the name of the interface if this name
  /// consists of letters, digits, `-`, `_` and `.` and is not a number. The zone is the index of the interface if the
  /// name is of another form (`7`, `a,b`) or if this host does not have the interface. The text does not contain the
  /// flow label.
  public var description: String {
    switch ip {
    case .v4(let address): return "\(address):\(port)"
    case .v6(let address):
      let zone = scopeID == 0 ? "" : "%\(InterfaceNames.zone(of: scopeID))"
      return "[\(address)\(zone)]:\(port)"
    }
  }
}
