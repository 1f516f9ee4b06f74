internal import SocketKitCore

/// A multicast group to join or leave. The value contains the address of the group, the source whose packets the socket
/// receives, and the interface.
///
/// ```swift
/// try socket.join(MulticastGroup(.v4(IPv4Address(239, 1, 2, 3)), interface: .index(2)))
/// ```
public struct MulticastGroup: Hashable, Sendable {
  /// The network interface on which a group is joined.
  @frozen
  public enum Interface: Hashable, Sendable {
    /// The interface with this number; see ``InterfaceNames``. With 0, the routing table selects the interface, as with
    /// a nil ``MulticastGroup/interface``.
    case index(UInt32)
    /// The interface that has this address; for IPv4 groups only.
    case address(IPv4Address)
  }

  /// The address of the group, in 224.0.0.0/4 or ff00::/8.
  public var address: IPAddress
  /// The unicast address of the source whose packets the socket receives (IGMPv3, MLDv2); nil for all sources. It must
  /// have the IP version of the group.
  public var source: IPAddress?
  /// The interface. With nil, the routing table selects the interface.
  public var interface: Interface?

  /// Creates a group. With a nil source, the socket receives packets from all sources. With a nil interface, the
  /// routing table selects the interface.
  public init(_ address: IPAddress, source: IPAddress? = nil, interface: Interface? = nil) {
    self.address = address
    self.source = source
    self.interface = interface
  }
}
