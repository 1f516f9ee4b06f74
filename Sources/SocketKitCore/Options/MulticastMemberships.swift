internal import CSocketKit

// Joining and leaving multicast groups: ip(7), ipv6(7), RFC 3678. A membership ends with its socket. The group and the
// source are checked before the kernel is called: an address that is not a group's is `.invalidAddress` with errno 0.

extension DatagramSocket where Self: OptionTarget & ~Copyable, Options: IPOptions {
  /// Joins a group. Packets to the group that arrive on the interface are then received by every socket that is bound
  /// to their port and has not switched `.multicastAll` off.
  ///
  /// For the packets of several sources, call it once for each source. An IPv6 socket that accepts IPv4 peers can join
  /// groups of both versions.
  /// - Throws: `.invalidAddress` when the address is not a group's, when the source is of another version or is a
  ///   multicast address, and when an IPv6 group names its interface by an address; `.addressInUse` when the group is
  ///   already joined there; `.invalidArgument` when a source is given and the group was joined for all sources;
  ///   `.addressNotAvailable` when there is no such interface, and when this source was already joined; `.outOfMemory`
  ///   beyond net.ipv4.igmp_max_memberships (20); `.notSupported` for an IPv6 group on an IPv4 socket; `.closed`.
  public borrowing func join(_ group: MulticastGroup) throws(SocketError) {
    try descriptor.changeMembership(
      group.source == nil ? CSK_MCAST_JOIN_GROUP : CSK_MCAST_JOIN_SOURCE_GROUP,
      group.source == nil ? CSK_IP_ADD_MEMBERSHIP : CSK_IP_ADD_SOURCE_MEMBERSHIP, group)
  }

  /// Leaves a group, or one source of a group: when the last source is left, the group is left too.
  /// - Throws: `.addressNotAvailable` when the group or the source was not joined there; `.invalidArgument` when a
  ///   source is given and no source of the group is joined; otherwise as ``join(_:)``.
  public borrowing func leave(_ group: MulticastGroup) throws(SocketError) {
    try descriptor.changeMembership(
      group.source == nil ? CSK_MCAST_LEAVE_GROUP : CSK_MCAST_LEAVE_SOURCE_GROUP,
      group.source == nil ? CSK_IP_DROP_MEMBERSHIP : CSK_IP_DROP_SOURCE_MEMBERSHIP, group)
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

  /// The address if its version is IPv4; nil for IPv6.
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
  ///   - name: the option that names the interface by its number.
  ///   - nameByAddress: the option of IPv4 that names the interface by its address.
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

  /// Changes a membership with struct group_req or group_source_req: the interface, then one or two sockaddr_storage,
  /// with the alignment of a machine word.
  private func changeMembership(
    _ name: Int32, _ group: IPAddress, from source: IPAddress?, _ interfaceIndex: UInt32
  ) throws(SocketError) {
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
  private func changeMembership(
    _ name: Int32, _ group: IPv4Address, on interface: IPv4Address, from source: IPv4Address?
  ) throws(SocketError) {
    let request = (group.bits.bigEndian, interface.bits.bigEndian, source?.bits.bigEndian ?? 0)
    try withUnsafeBytes(of: request) { bytes throws(SocketError) in try setIPBytes(CSK_IPPROTO_IP, name, bytes) }
  }

  private func write(_ address: IPAddress, to memory: UnsafeMutableRawBufferPointer, at offset: Int) {
    IPSocketAddress(address, port: 0).withBytes { bytes in
      bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyMemory(from: $0) }
    }
  }
}
