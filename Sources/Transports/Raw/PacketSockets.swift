internal import CSocketKit
public import SocketKitCore

// What packet sockets (packet(7)) have beyond other sockets. Open one with
// `GenericMessageSocket<AnySocketAddress>.open(SocketKind(AddressFamily(rawValue: 17), .raw, protocolNumber: …))`.

/// Frames that a network interface hands up besides those that are meant for this host: PACKET_ADD_MEMBERSHIP of packet(7).
public enum PacketMembership: Hashable, Sendable {
  /// Everything that the interface hears (PACKET_MR_PROMISC).
  case promiscuous
  /// The frames of every multicast group (PACKET_MR_ALLMULTI).
  case allMulticast
  /// The frames to one multicast hardware address, in the interface's length: 6 bytes of Ethernet (PACKET_MR_MULTICAST).
  case multicast([UInt8])
  /// The frames to one more unicast hardware address (PACKET_MR_UNICAST, Linux 2.6.31).
  case unicast([UInt8])

  /// struct packet_mreq, or packet_mreq_max for hardware addresses longer than 8 bytes.
  fileprivate func request(_ interfaceIndex: UInt32) throws(SocketError) -> [UInt8] {
    let (type, address) =
      switch self {
      case .multicast(let address): (CSK_PACKET_MR_MULTICAST, address)
      case .promiscuous: (CSK_PACKET_MR_PROMISC, [])
      case .allMulticast: (CSK_PACKET_MR_ALLMULTI, [])
      case .unicast(let address): (CSK_PACKET_MR_UNICAST, address)
      }
    // MAX_ADDR_LEN
    guard address.count <= 32 else { throw SocketError(code: .invalidArgument, .setOption) }
    var bytes: [UInt8] = []
    withUnsafeBytes(of: interfaceIndex) { bytes += $0 }
    withUnsafeBytes(of: UInt16(truncatingIfNeeded: type)) { bytes += $0 }
    withUnsafeBytes(of: UInt16(truncatingIfNeeded: address.count)) { bytes += $0 }
    bytes += address
    while bytes.count < 16 { bytes.append(0) }
    return bytes
  }
}

/// What a packet socket has counted since it was asked last: struct tpacket_stats and tpacket_stats_v3.
public struct PacketStatistics: Hashable, Sendable {
  /// Packets that passed the filter, dropped ones too.
  public var packets: UInt32
  /// Of them, those that were dropped because the socket had no room.
  public var drops: UInt32
  /// How often a ring of version 3 was frozen because the program held all its blocks; nil with other versions.
  public var freezes: UInt32?
}

extension GenericMessageSocket {
  /// Has an interface hand up more frames, for all packet sockets of the host. Memberships are counted: each needs a
  /// ``leave(_:interfaceIndex:)-(PacketMembership,_)`` of its own, and those that are left over end with the socket. Packet
  /// sockets only. The C name is `PACKET_ADD_MEMBERSHIP`.
  /// - Parameter interfaceIndex: the interface's number: ``SocketKitCore/InterfaceNames``.
  /// - Throws: `.addressNotAvailable` when there is no such interface; `.invalidArgument` for a hardware address that is
  ///   not of the interface's length; `.notSupported` on a socket of another family; `.closed`.
  public borrowing func join(_ membership: PacketMembership, interfaceIndex: UInt32) throws(SocketError) {
    try change(CSK_PACKET_ADD_MEMBERSHIP, membership, interfaceIndex)
  }

  /// Ends a membership of this socket; without one it does nothing. The C name is `PACKET_DROP_MEMBERSHIP`.
  /// - Throws: `.invalidArgument` for a hardware address longer than 32 bytes; `.notSupported` on a socket of another
  ///   family; `.closed`.
  public borrowing func leave(_ membership: PacketMembership, interfaceIndex: UInt32) throws(SocketError) {
    try change(CSK_PACKET_DROP_MEMBERSHIP, membership, interfaceIndex)
  }

  private borrowing func change(
    _ name: Int32, _ membership: PacketMembership, _ interfaceIndex: UInt32
  ) throws(SocketError) {
    let request = try membership.request(interfaceIndex)
    do throws(SocketError) {
      try setRawOption(level: CSK_SOL_PACKET, name: name, to: request.span.bytes)
    } catch {
      // Here ENODEV means the interface, not the protocol.
      if error.errno != CSK_ENODEV { throw error }
      throw SocketError(code: .addressNotAvailable, .setOption, errno: CSK_ENODEV)
    }
  }

  /// How many packets came and how many were dropped since the last call, or since the socket was opened: reading sets the
  /// kernel's counters to zero. Packet sockets only. The C name is `PACKET_STATISTICS`.
  /// - Throws: `.notSupported` on a socket of another family; `.closed`.
  public borrowing func takePacketStatistics() throws(SocketError) -> PacketStatistics {
    var words = InlineArray<3, UInt32>(repeating: 0)
    var span = words.mutableSpan
    var bytes = span.mutableBytes
    let count = try rawOption(level: CSK_SOL_PACKET, name: CSK_PACKET_STATISTICS, into: &bytes)
    return PacketStatistics(packets: words[0], drops: words[1], freezes: count >= 12 ? words[2] : nil)
  }
}
