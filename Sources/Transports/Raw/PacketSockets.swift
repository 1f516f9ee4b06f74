internal import CSocketKit
public import SocketKitCore
internal import SocketKitIP

// These operations apply only to packet sockets (packet(7)). To open a packet socket, use
// `GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(SocketKind(AddressFamily(rawValue: 17), .raw,
// protocolNumber: …))`.

/// Frames that a network interface delivers in addition to the frames for this host: PACKET_ADD_MEMBERSHIP of
/// packet(7). See ``GenericMessageSocket/join(_:interfaceIndex:)``.
public enum PacketMembership: Hashable, Sendable {
  /// Every frame that the interface receives (PACKET_MR_PROMISC).
  case promiscuous
  /// The frames of every multicast group (PACKET_MR_ALLMULTI).
  case allMulticast
  /// The frames to one multicast hardware address, which has the length of the interface's own address: 6 bytes for
  /// Ethernet (PACKET_MR_MULTICAST).
  case multicast([UInt8])
  /// The frames to one additional unicast hardware address (PACKET_MR_UNICAST, Linux 2.6.31).
  case unicast([UInt8])

  /// Returns struct packet_mreq, or struct packet_mreq_max for hardware addresses longer than 8 bytes.
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
    var bytes = [UInt8](repeating: 0, count: max(16, 8 + address.count))
    bytes.replaceSubrange(8..<8 + address.count, with: address)
    var elements = bytes.mutableSpan
    var header = elements.mutableIntegerBytes
    header.storeBytes(of: interfaceIndex, toByteOffset: 0, as: UInt32.self)
    header.storeBytes(of: UInt16(truncatingIfNeeded: type), toByteOffset: 4, as: UInt16.self)
    header.storeBytes(of: UInt16(truncatingIfNeeded: address.count), toByteOffset: 6, as: UInt16.self)
    return bytes
  }
}

/// The counters of a packet socket since the last read: struct tpacket_stats and tpacket_stats_v3. See
/// ``GenericMessageSocket/takePacketStatistics()``.
public struct PacketStatistics: Hashable, Sendable {
  /// Packets that passed the filter, including those that were dropped.
  public var packets: UInt32
  /// Packets that were dropped because the socket's receive buffer was full.
  public var drops: UInt32
  /// The number of times that a ring of version 3 was frozen because the program held all blocks of the ring; nil for
  /// other versions.
  public var freezes: UInt32?
}

extension GenericMessageSocket {
  /// Makes an interface deliver additional frames to all packet sockets on the host.
  ///
  /// The kernel counts memberships: call ``leave(_:interfaceIndex:)`` once for each call of this method. Closing the
  /// socket ends its remaining memberships. The socket must be a packet socket. The C name is `PACKET_ADD_MEMBERSHIP`.
  /// - Parameter interfaceIndex: the interface's index; see ``/SocketKitIP/InterfaceNames``.
  /// - Throws: `.addressNotAvailable` if the interface does not exist; `.invalidArgument` if the length of a hardware
  ///   address does not match the interface; `.notSupported` on a socket of another family; `.closed`.
  public borrowing func join(_ membership: PacketMembership, interfaceIndex: UInt32) throws(SocketError) {
    try change(CSK_PACKET_ADD_MEMBERSHIP, membership, interfaceIndex)
  }

  /// Ends a membership of this socket; does nothing if the socket has no such membership. The C name is
  /// `PACKET_DROP_MEMBERSHIP`.
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
      try setOption(SocketOption(bytes: name, level: CSK_SOL_PACKET), to: request)
    } catch {
      // For this option, ENODEV refers to the interface, not the protocol.
      if error.errno != CSK_ENODEV { throw error }
      throw SocketError(code: .addressNotAvailable, .setOption, errno: CSK_ENODEV)
    }
  }

  /// Returns the number of packets received and dropped since the last call, or since the socket was opened. Reading
  /// resets the kernel's counters to zero. The socket must be a packet socket. The C name is `PACKET_STATISTICS`.
  /// - Throws: `.notSupported` on a socket of another family; `.closed`.
  public borrowing func takePacketStatistics() throws(SocketError) -> PacketStatistics {
    var words = InlineArray<3, UInt32>(repeating: 0)
    var length = 0
    // The array consists of integers.
    let result = unsafe descriptor.readOption(CSK_SOL_PACKET, CSK_PACKET_STATISTICS, intoStructure: &words, &length)
    if result.isFailure { throw SocketError(result, .getOption) }
    return PacketStatistics(packets: words[0], drops: words[1], freezes: length >= 12 ? words[2] : nil)
  }
}
