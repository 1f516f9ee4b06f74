/// An IP address of either version, without port and scope.
@frozen
public enum IPAddress: BitwiseCopyable, Hashable, Sendable {
  /// An IPv4 address.
  case v4(IPv4Address)
  /// An IPv6 address.
  case v6(IPv6Address)
}

extension IPAddress {
  /// Returns the socket address of a port at this address. With port 0, the kernel chooses the port.
  @inlinable
  public func with(port: UInt16) -> IPSocketAddress {
    switch self {
    case .v4(let address): IPSocketAddress(address, port: port)
    case .v6(let address): IPSocketAddress(address, port: port)
    }
  }
}

extension IPAddress: LosslessStringConvertible {
  /// Reads the text of an IPv4 or IPv6 address. Returns nil for any other text.
  public init?(_ text: String) {
    if let address = IPv4Address(text) {
      self = .v4(address)
    } else if let address = IPv6Address(text) {
      self = .v6(address)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .v4(let address): address.description
    case .v6(let address): address.description
    }
  }
}
