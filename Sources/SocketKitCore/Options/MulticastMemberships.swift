internal import CSocketKit

// Joining and leaving multicast groups: ip(7), ipv6(7), RFC 3678. A membership ends with its socket. The group and the
// source are checked before the kernel is called: an address that is not a group's is `.invalidAddress` with errno 0.

extension OptionTarget where Options: IPOptions, Self: ~Copyable {
  /// Joins a group. Packets to the group that arrive on the interface are then received by every socket that is bound
  /// to their port and has not switched `.multicastAll` off.
  ///
  /// - Parameters:
  ///   - group: 224.0.0.0/4 or ff00::/8. An IPv6 socket that accepts IPv4 peers can join groups of both versions.
  ///   - interfaceIndex: the interface's number, see ``InterfaceNames``; 0 selects the interface by the routing table.
  /// - Throws: `.invalidAddress` when the address is not a group's; `.addressInUse` when the group is already joined
  ///   there; `.addressNotAvailable` when there is no such interface; `.outOfMemory` beyond
  ///   net.ipv4.igmp_max_memberships (20); `.notSupported` for an IPv6 group on an IPv4 socket; `.closed`.
  public borrowing func join(_ group: IPAddress, interfaceIndex: UInt32 = 0) throws(SocketError) {
    try descriptor.changeMembership(CSK_MCAST_JOIN_GROUP, group, from: nil, interfaceIndex)
  }

  /// Leaves a group.
  /// - Throws: `.addressNotAvailable` when the group was not joined there, and as ``join(_:interfaceIndex:)``.
  public borrowing func leave(_ group: IPAddress, interfaceIndex: UInt32 = 0) throws(SocketError) {
    try descriptor.changeMembership(CSK_MCAST_LEAVE_GROUP, group, from: nil, interfaceIndex)
  }

  /// Joins a group for the packets of one source (IGMPv3, MLDv2). Call it once for each source.
  ///
  /// - Parameter source: a unicast address of the group's version.
  /// - Throws: `.invalidAddress` when the group is not a multicast address, or when the source is of another version or
  ///   is a multicast address; `.invalidArgument` when the group was joined for all sources; `.addressNotAvailable`
  ///   also when this source was already joined; and as ``join(_:interfaceIndex:)``.
  public borrowing func join(
    _ group: IPAddress, source: IPAddress, interfaceIndex: UInt32 = 0
  ) throws(SocketError) {
    try descriptor.changeMembership(CSK_MCAST_JOIN_SOURCE_GROUP, group, from: source, interfaceIndex)
  }

  /// Leaves one source of a group. When the last source is left, the group is left too.
  /// - Throws: `.addressNotAvailable` when the source was not joined; `.invalidArgument` when no source of the group is
  ///   joined; and as ``join(_:source:interfaceIndex:)``.
  public borrowing func leave(
    _ group: IPAddress, source: IPAddress, interfaceIndex: UInt32 = 0
  ) throws(SocketError) {
    try descriptor.changeMembership(CSK_MCAST_LEAVE_SOURCE_GROUP, group, from: source, interfaceIndex)
  }

  /// Joins an IPv4 group on the interface that has the address.
  /// - Throws: as ``join(_:interfaceIndex:)``; `.addressNotAvailable` when no interface has the address.
  public borrowing func join(_ group: IPv4Address, interfaceAddress: IPv4Address) throws(SocketError) {
    try descriptor.changeMembership(CSK_IP_ADD_MEMBERSHIP, group, on: interfaceAddress, from: nil)
  }

  /// Leaves an IPv4 group on the interface that has the address.
  /// - Throws: as ``leave(_:interfaceIndex:)``.
  public borrowing func leave(_ group: IPv4Address, interfaceAddress: IPv4Address) throws(SocketError) {
    try descriptor.changeMembership(CSK_IP_DROP_MEMBERSHIP, group, on: interfaceAddress, from: nil)
  }

  /// Joins an IPv4 group for the packets of one source, on the interface that has the address.
  /// - Throws: as ``join(_:source:interfaceIndex:)``.
  public borrowing func join(
    _ group: IPv4Address, source: IPv4Address, interfaceAddress: IPv4Address
  ) throws(SocketError) {
    try descriptor.changeMembership(CSK_IP_ADD_SOURCE_MEMBERSHIP, group, on: interfaceAddress, from: source)
  }

  /// Leaves one source of an IPv4 group, on the interface that has the address.
  /// - Throws: as ``leave(_:source:interfaceIndex:)``.
  public borrowing func leave(
    _ group: IPv4Address, source: IPv4Address, interfaceAddress: IPv4Address
  ) throws(SocketError) {
    try descriptor.changeMembership(CSK_IP_DROP_SOURCE_MEMBERSHIP, group, on: interfaceAddress, from: source)
  }
}

extension IPAddress {
  /// Whether this is a multicast address: 224.0.0.0/4 or ff00::/8.
  @inlinable public var isMulticast: Bool {
    switch self {
    case .v4(let address): address.isMulticast
    case .v6(let address): address.isMulticast
    }
  }

  /// The IPv4 address that an IPv4-mapped IPv6 address contains; other addresses unchanged.
  @inlinable public var unmapped: IPAddress {
    if case .v6(let address) = self, let mapped = address.mappedIPv4 { return .v4(mapped) }
    return self
  }

  @usableFromInline var isIPv4: Bool {
    @inlinable get {
      if case .v4 = self { return true }
      return false
    }
  }
}

extension RawDescriptor {
  /// Changes a membership with struct group_req or group_source_req: the interface, then one or two sockaddr_storage,
  /// with the alignment of a machine word.
  fileprivate func changeMembership(
    _ name: Int32, _ group: IPAddress, from source: IPAddress?, _ interfaceIndex: UInt32
  ) throws(SocketError) {
    let group = group.unmapped
    let source = source?.unmapped
    try checkGroup(group, source)
    var request = InlineArray<33, UInt64>(repeating: 0)
    let start = MemoryLayout<Int>.size
    let length = start + (source == nil ? 128 : 256)
    try withUnsafeMutableBytes(of: &request) { memory throws(SocketError) in
      memory.storeBytes(of: interfaceIndex, as: UInt32.self)
      write(group, to: memory, at: start)
      if let source { write(source, to: memory, at: start + 128) }
      try setIPBytes(
        group.isIPv4 ? CSK_IPPROTO_IP : CSK_IPPROTO_IPV6, name, UnsafeRawBufferPointer(rebasing: memory.prefix(length)))
    }
  }

  /// Changes a membership with struct ip_mreqn (group, interface, no index) or ip_mreq_source (group, interface,
  /// source).
  fileprivate func changeMembership(
    _ name: Int32, _ group: IPv4Address, on interface: IPv4Address, from source: IPv4Address?
  ) throws(SocketError) {
    try checkGroup(.v4(group), source.map { .v4($0) })
    let request = (group.bits.bigEndian, interface.bits.bigEndian, source?.bits.bigEndian ?? 0)
    try withUnsafeBytes(of: request) { bytes throws(SocketError) in try setIPBytes(CSK_IPPROTO_IP, name, bytes) }
  }

  private func checkGroup(_ group: IPAddress, _ source: IPAddress?) throws(SocketError) {
    let sourceFits = source.map { !$0.isMulticast && $0.isIPv4 == group.isIPv4 } ?? true
    if !group.isMulticast || !sourceFits { throw SocketError(code: .invalidAddress, .setOption) }
  }

  private func write(_ address: IPAddress, to memory: UnsafeMutableRawBufferPointer, at offset: Int) {
    IPSocketAddress(address, port: 0).withBytes { bytes in
      bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyMemory(from: $0) }
    }
  }
}
