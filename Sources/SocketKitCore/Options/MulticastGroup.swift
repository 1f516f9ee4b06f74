/// A multicast group to join or leave: the group's address, the source whose packets are wanted, and the interface.
///
/// ```swift
/// try socket.join(MulticastGroup(.v4(IPv4Address(239, 1, 2, 3)), interface: .index(2)))
/// ```
public struct MulticastGroup: Hashable, Sendable {
  /// The network interface on which a group is joined.
  @frozen
  public enum Interface: Hashable, Sendable {
    /// The interface with this number: see ``InterfaceNames``.
    case index(UInt32)
    /// The interface that has this address; for IPv4 groups only.
    case address(IPv4Address)
  }

  /// The group: 224.0.0.0/4 or ff00::/8.
  public var address: IPAddress
  /// The unicast address, of the group's version, whose packets are wanted (IGMPv3, MLDv2); nil for all sources.
  public var source: IPAddress?
  /// The interface; nil selects it by the routing table.
  public var interface: Interface?

  /// Creates a group: by default, for all sources and on the interface that the routing table selects.
  public init(_ address: IPAddress, source: IPAddress? = nil, interface: Interface? = nil) {
    self.address = address
    self.source = source
    self.interface = interface
  }
}
