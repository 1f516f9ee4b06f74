internal import CSocketKit
public import SocketKitCore

// Joining and leaving multicast groups; see ip(7), ipv6(7) and RFC 3678. Closing the socket ends its memberships. Each
// method checks the addresses of the group and the source before it calls the kernel. If an address is not valid, the
// method throws `.invalidAddress` with errno 0.

extension DatagramSocket where Self: OptionTarget & ~Copyable, Options: IPOptions {
  /// Joins a group on an interface. The host then receives packets to the group on this interface. Every socket that is
  /// bound to the destination port of such a packet receives the packet. A socket whose option `.multicastAll` is off
  /// receives multicast packets only if it has joined their group itself.
  ///
  /// To receive the packets of several sources, call this method once for each source. An IPv6 socket that accepts IPv4
  /// peers can join groups of both IP versions.
  /// - Throws: `.invalidAddress` if the address is not a multicast address, if the source has another IP version or is
  ///   a multicast address, or if the interface of an IPv6 group is given by an address; `.addressInUse` if the socket
  ///   has already joined the group on the interface; `.invalidArgument` if a source is given and the socket has joined
  ///   the group for all sources; `.addressNotAvailable` if the interface does not exist, or if the socket has already
  ///   joined this source; `.outOfMemory` if the number of memberships would exceed net.ipv4.igmp_max_memberships (20);
  ///   `.notSupported` for an IPv6 group on an IPv4 socket; `.closed`.
  public borrowing func join(_ group: MulticastGroup) throws(SocketError) {
    try descriptor.changeMembership(
      group.source == nil ? CSK_MCAST_JOIN_GROUP : CSK_MCAST_JOIN_SOURCE_GROUP,
      group.source == nil ? CSK_IP_ADD_MEMBERSHIP : CSK_IP_ADD_SOURCE_MEMBERSHIP, group)
  }

  /// Leaves a group, or one source of a group. When the socket leaves the last source of a group, it also leaves the
  /// group.
  /// - Throws: `.addressNotAvailable` if the socket has not joined the group or the source on the interface;
  ///   `.invalidArgument` if a source is given and the socket has joined no source of the group; and the other errors
  ///   of ``join(_:)``.
  public borrowing func leave(_ group: MulticastGroup) throws(SocketError) {
    try descriptor.changeMembership(
      group.source == nil ? CSK_MCAST_LEAVE_GROUP : CSK_MCAST_LEAVE_SOURCE_GROUP,
      group.source == nil ? CSK_IP_DROP_MEMBERSHIP : CSK_IP_DROP_SOURCE_MEMBERSHIP, group)
  }
}

extension IPAddress {
  /// Whether this is a multicast address (224.0.0.0/4 or ff00::/8).
  @inlinable public var isMulticast: Bool {
    switch self {
    case .v4(let address): address.isMulticast
    case .v6(let address): address.isMulticast
    }
  }

  /// The IPv4 address in an IPv4-mapped IPv6 address; for all other addresses, the address itself.
  @inlinable public var unmapped: IPAddress {
    if case .v6(let address) = self, let mapped = address.mappedIPv4 { return .v4(mapped) }
    return self
  }

  /// The address if it is an IPv4 address; nil for an IPv6 address.
  var ipv4: IPv4Address? {
    if case .v4(let address) = self { return address }
    return nil
  }

  @usableFromInline var isIPv4: Bool {
    @inlinable get {
      if case .v4 = self { return true }
      return false
    }
  }
}

extension RawDescriptor {
  /// Changes a membership.
  /// - Parameters:
  ///   - name: the option that identifies the interface by its number.
  ///   - nameByAddress: the IPv4 option that identifies the interface by its address.
  fileprivate func changeMembership(
    _ name: Int32, _ nameByAddress: Int32, _ group: MulticastGroup
  ) throws(SocketError) {
    let (address, source) = (group.address.unmapped, group.source?.unmapped)
    let sourceFits = source.map { !$0.isMulticast && $0.isIPv4 == address.isIPv4 } ?? true
    if !address.isMulticast || !sourceFits { throw SocketError(code: .invalidAddress, .setOption) }
    switch group.interface {
    case nil: try changeMembership(name, address, from: source, 0)
    case .index(let index): try changeMembership(name, address, from: source, index)
    case .address(let interface):
      guard let address = address.ipv4 else { throw SocketError(code: .invalidAddress, .setOption) }
      try changeMembership(nameByAddress, address, on: interface, from: source?.ipv4)
    }
  }

  /// Changes a membership with struct group_req or group_source_req. Each structure contains the interface number and
  /// one or two sockaddr_storage structures, which are aligned to a machine word.
  private func changeMembership(
    _ name: Int32, _ group: IPAddress, from source: IPAddress?, _ interfaceIndex: UInt32
  ) throws(SocketError) {
    var request = InlineArray<33, UInt64>(repeating: 0)
    let start = MemoryLayout<Int>.size
    let length = start + (source == nil ? 128 : 256)
    var words = request.mutableSpan
    var memory = words.mutableIntegerBytes
    memory.storeBytes(of: interfaceIndex, toByteOffset: 0, as: UInt32.self)
    memory.storeBytes(of: group.with(port: 0), toByteOffset: start, as: IPSocketAddress.self)
    if let source {
      memory.storeBytes(of: source.with(port: 0), toByteOffset: start + 128, as: IPSocketAddress.self)
    }
    try setIPBytes(
      group.isIPv4 ? CSK_IPPROTO_IP : CSK_IPPROTO_IPV6, name, request.span.integerBytes.extracting(first: length))
  }

  /// Changes a membership with struct ip_mreqn (group, interface, no index) or ip_mreq_source (group, interface,
  /// source).
  private func changeMembership(
    _ name: Int32, _ group: IPv4Address, on interface: IPv4Address, from source: IPv4Address?
  ) throws(SocketError) {
    let request = (group.bits.bigEndian, interface.bits.bigEndian, source?.bits.bigEndian ?? 0)
    try setIPValue(CSK_IPPROTO_IP, name, request)
  }
}
