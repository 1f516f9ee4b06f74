public import CSocketKit
public import SocketKitCore

/// Settings for one packet to send, in addition to the socket's options. The settings are encoded as ancillary data,
/// without allocation.
@frozen
public struct OutgoingMetadata: BitwiseCopyable, Hashable, Sendable {
  /// The source address of the packet. It must be an address of this host and have the IP version of the destination
  /// (IP_PKTINFO, IPV6_PKTINFO). A server that is bound to the wildcard address replies from
  /// ``PacketMetadata/localAddress``.
  public var source: IPAddress?
  /// The index of the interface that sends the packet. With 0, the routing table selects the interface.
  public var interfaceIndex: UInt32 = 0
  /// The time to live, 1 to 255, or the hop limit, 0 to 255.
  public var hopLimit: UInt8?
  /// The type-of-service or traffic-class byte: DSCP in the upper six bits, ECN in the lower two.
  public var trafficClass: UInt8?
  /// The size in bytes of the datagrams into which the kernel splits the message (UDP_SEGMENT, Linux 4.18). The last
  /// datagram may be shorter.
  public var segmentSize: UInt16?
  /// Whether to forbid fragmentation of this packet (IPV6_DONTFRAG, Linux 2.6.36). If true, the send call fails with
  /// `.messageTooLarge` if the packet is larger than the path's MTU. This setting is only for IPv6. IPv4 has no such
  /// setting for a single packet; set the socket option `.pathMTUDiscovery` instead.
  public var doNotFragment: Bool?
  /// The time at which the kernel sends the packet, in nanoseconds on the clock of the option `.transmitTime`
  /// (SCM_TXTIME, Linux 4.19). The option must be set on the socket.
  public var transmitTime: Int64?

  /// Creates a value without settings.
  @inlinable
  public init() {}

  /// Creates the settings for a reply to a received packet. The source of the reply is the address that the packet was
  /// sent to. For broadcast and multicast packets, the source is this host's address on the network that delivered the
  /// packet (``PacketMetadata/localAddress``). If the kernel reports no address (IPv6 multicast), or if the address is
  /// link-local, the reply is sent through the interface that received the packet.
  @inlinable
  public init(answering packet: PacketMetadata) {
    source = packet.localAddress
    switch source {
    case nil: interfaceIndex = packet.interfaceIndex
    case .v4(let address)? where address.isLinkLocal: interfaceIndex = packet.interfaceIndex
    case .v6(let address)? where address.isLinkLocal: interfaceIndex = packet.interfaceIndex
    default: break
    }
  }

  /// Whether the value contains no settings.
  @inlinable public var isEmpty: Bool {
    source == nil && interfaceIndex == 0 && hopLimit == nil && trafficClass == nil && segmentSize == nil
      && doNotFragment == nil && transmitTime == nil
  }

  /// Appends the ancillary messages for a packet that is sent to `destination`.
  ///
  /// The IP version of the destination, not of the socket, determines the IP version of the ancillary messages. If the
  /// destination is an IPv4-mapped address, a dual-stack socket reads the ancillary messages of IPv4 and ignores those
  /// of IPv6.
  /// - Parameter destination: the address that is passed to `send`, or the address that the socket is connected to.
  /// - Throws: `.capacityExceeded` if the ancillary messages do not fit (160 bytes are sufficient for all settings);
  ///   `.invalidArgument` if ``source`` is of the other IP version; `.notSupported` for ``doNotFragment`` with an IPv4
  ///   destination. If the call throws, it may have added some of the ancillary messages.
  @inlinable
  public func encode<let capacity: Int>(
    into ancillary: inout AncillaryBuffer<capacity>, for destination: IPSocketAddress
  ) throws(SocketError) {
    if let segmentSize { try ancillary.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: segmentSize) }
    if let transmitTime { try ancillary.append(level: CSK_SOL_SOCKET, type: CSK_SO_TXTIME, value: transmitTime) }
    if destination.unmapped.family == .ipv4 {
      try encodeIPv4(into: &ancillary)
    } else {
      try encodeIPv6(into: &ancillary)
    }
  }

  @inlinable
  func encodeIPv4<let capacity: Int>(into ancillary: inout AncillaryBuffer<capacity>) throws(SocketError) {
    if doNotFragment != nil { throw SocketError(code: .notSupported, .send) }
    if source != nil || interfaceIndex != 0 {
      // struct in_pktinfo: the interface, the source address, and the address in the header (only for received
      // packets).
      var info: (UInt32, UInt32, UInt32) = (interfaceIndex, 0, 0)
      if let source {
        guard case .v4(let address) = source.unmapped else { throw SocketError(code: .invalidArgument, .send) }
        info.1 = address.bits.bigEndian
      }
      try ancillary.append(level: CSK_IPPROTO_IP, type: CSK_IP_PKTINFO, value: info)
    }
    if let hopLimit { try ancillary.append(level: CSK_IPPROTO_IP, type: CSK_IP_TTL, value: Int32(hopLimit)) }
    if let trafficClass { try ancillary.append(level: CSK_IPPROTO_IP, type: CSK_IP_TOS, value: Int32(trafficClass)) }
  }

  @inlinable
  func encodeIPv6<let capacity: Int>(into ancillary: inout AncillaryBuffer<capacity>) throws(SocketError) {
    if source != nil || interfaceIndex != 0 {
      // struct in6_pktinfo: the address and the interface.
      var info: (UInt64, UInt64, UInt32) = (0, 0, interfaceIndex)
      if let source {
        guard case .v6(let address) = source.unmapped else { throw SocketError(code: .invalidArgument, .send) }
        (info.0, info.1) = (address.high.bigEndian, address.low.bigEndian)
      }
      // The 20 bytes have no padding, and the call copies them.
      try unsafe withUnsafeBytes(of: info) { bytes throws(SocketError) in
        try unsafe ancillary.append(level: CSK_IPPROTO_IPV6, type: CSK_IPV6_PKTINFO, bytes.bytes.extracting(first: 20))
      }
    }
    if let hopLimit { try ancillary.append(level: CSK_IPPROTO_IPV6, type: CSK_IPV6_HOPLIMIT, value: Int32(hopLimit)) }
    if let trafficClass {
      try ancillary.append(level: CSK_IPPROTO_IPV6, type: CSK_IPV6_TCLASS, value: Int32(trafficClass))
    }
    if let doNotFragment {
      try ancillary.append(level: CSK_IPPROTO_IPV6, type: CSK_IPV6_DONTFRAG, value: doNotFragment ? 1 : 0 as Int32)
    }
  }
}
