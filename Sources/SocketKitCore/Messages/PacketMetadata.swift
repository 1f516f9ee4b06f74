public import CSocketKit

/// What the kernel says of a received packet, when the options that ask for it are on: read from a message's control data,
/// without allocation. Unknown control messages are skipped.
@frozen
public struct PacketMetadata: BitwiseCopyable, Hashable, Sendable {
  /// The address that the packet was sent to, with port 0 (IP_PKTINFO, IPV6_PKTINFO: option `.packetInfo`).
  public var destination: IPSocketAddress?
  /// The number of the interface that it came in by, 0 when unknown (option `.packetInfo`).
  public var interfaceIndex: UInt32 = 0
  /// Time to live, or hop limit (option `.receiveHopLimit`).
  public var hopLimit: UInt8?
  /// The type-of-service or traffic-class byte (option `.receiveTrafficClass`).
  public var trafficClass: UInt8?
  /// When the kernel received it, as nanoseconds since 1970 on the system's clock (options `.timestamps`,
  /// `.nanosecondTimestamps`).
  public var timestamp: Int64?
  /// The size of the datagrams that were coalesced into this message; the last may be shorter (UDP_GRO). nil when it is
  /// one datagram.
  public var segmentSize: Int?
  /// How many packets the socket has dropped so far, for want of room (option `.dropCount`).
  public var dropCount: UInt32?
  /// What the error queue says (option `.receiveErrors`, flag ``ReceiveFlags/errorQueue``).
  public var error: ExtendedError?

  @inlinable
  public init() {}

  /// Explicit congestion notification: the lower two bits of ``trafficClass`` (RFC 3168).
  @inlinable public var ecn: UInt8? { trafficClass.map { $0 & 3 } }
  /// The differentiated services code point: the upper six bits of ``trafficClass`` (RFC 2474).
  @inlinable public var dscp: UInt8? { trafficClass.map { $0 >> 2 } }

  /// Reads control data.
  @inlinable
  public init(control: RawSpan) {
    ControlData.forEach(in: control) { level, type, data in
      switch level {
      case CSK_SOL_SOCKET: readSocketLevel(type, data)
      case CSK_IPPROTO_IP: readIPv4(type, data)
      case CSK_IPPROTO_IPV6: readIPv6(type, data)
      case CSK_IPPROTO_UDP:
        if type == CSK_UDP_GRO, data.byteCount >= 4 {
          segmentSize = Int(data.unsafeLoadUnaligned(as: Int32.self))
        }
      default: break
      }
    }
  }

  @inlinable
  mutating func readSocketLevel(_ type: Int32, _ data: RawSpan) {
    switch type {
    case CSK_SO_TIMESTAMPNS, CSK_SO_TIMESTAMP:
      guard data.byteCount >= 16 else { return }
      let seconds = data.unsafeLoadUnaligned(as: Int64.self)
      let fraction = data.unsafeLoadUnaligned(fromByteOffset: 8, as: Int64.self)
      timestamp = seconds &* 1_000_000_000 &+ fraction &* (type == CSK_SO_TIMESTAMP ? 1000 : 1)
    case CSK_SO_RXQ_OVFL:
      if data.byteCount >= 4 { dropCount = data.unsafeLoadUnaligned(as: UInt32.self) }
    default: break
    }
  }

  @inlinable
  mutating func readIPv4(_ type: Int32, _ data: RawSpan) {
    switch type {
    case CSK_IP_PKTINFO:
      guard data.byteCount >= 12 else { return }
      interfaceIndex = data.unsafeLoadUnaligned(as: UInt32.self)
      let bits = UInt32(bigEndian: data.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self))
      destination = IPSocketAddress(IPv4Address(bits: bits), port: 0)
    case CSK_IP_TTL:
      if data.byteCount >= 4 { hopLimit = UInt8(truncatingIfNeeded: data.unsafeLoadUnaligned(as: Int32.self)) }
    case CSK_IP_TOS:
      if data.byteCount >= 1 { trafficClass = data.unsafeLoad(as: UInt8.self) }
    case CSK_IP_RECVERR: error = ExtendedError(data)
    default: break
    }
  }

  @inlinable
  mutating func readIPv6(_ type: Int32, _ data: RawSpan) {
    switch type {
    case CSK_IPV6_PKTINFO:
      guard data.byteCount >= 20 else { return }
      let high = UInt64(bigEndian: data.unsafeLoadUnaligned(as: UInt64.self))
      let low = UInt64(bigEndian: data.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self))
      interfaceIndex = data.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt32.self)
      let address = IPv6Address(high: high, low: low)
      destination = IPSocketAddress(address, port: 0, scopeID: address.isLinkLocal ? interfaceIndex : 0)
    case CSK_IPV6_HOPLIMIT:
      if data.byteCount >= 4 { hopLimit = UInt8(truncatingIfNeeded: data.unsafeLoadUnaligned(as: Int32.self)) }
    case CSK_IPV6_TCLASS:
      if data.byteCount >= 4 { trafficClass = UInt8(truncatingIfNeeded: data.unsafeLoadUnaligned(as: Int32.self)) }
    case CSK_IPV6_RECVERR: error = ExtendedError(data)
    default: break
    }
  }
}

/// An entry of a socket's error queue: struct sock_extended_err of linux/errqueue.h.
@frozen
public struct ExtendedError: BitwiseCopyable, Hashable, Sendable {
  /// Where an entry comes from.
  @frozen
  public enum Origin: UInt8, BitwiseCopyable, Hashable, Sendable {
    case none = 0
    /// This host's own stack.
    case local = 1
    /// An ICMP message.
    case icmp = 2
    /// An ICMPv6 message.
    case icmpv6 = 3
    /// A transmit timestamp.
    case timestamping = 4
    /// Completions of zero-copy sends.
    case zeroCopy = 5
    /// A transmission at a set time that failed.
    case transmitTime = 6
  }

  /// The kernel's error number; 0 for completions.
  public let errno: Int32
  public let origin: Origin
  /// The ICMP type, or what the origin means by it.
  public let type: UInt8
  /// The ICMP code. For completions of zero-copy sends: 1 when the kernel copied the bytes after all.
  public let code: UInt8
  /// For ICMP "too big": the path MTU. For zero-copy sends: the first number completed.
  public let info: UInt32
  /// For zero-copy sends: the last number completed.
  public let data: UInt32
  /// Who sent the ICMP message, with port 0.
  public let offender: IPSocketAddress?

  /// nil when the bytes are too few or the origin is unknown.
  @inlinable
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= 16, let origin = Origin(rawValue: bytes.unsafeLoad(fromByteOffset: 4, as: UInt8.self))
    else { return nil }
    errno = bytes.unsafeLoadUnaligned(as: Int32.self)
    self.origin = origin
    type = bytes.unsafeLoad(fromByteOffset: 5, as: UInt8.self)
    code = bytes.unsafeLoad(fromByteOffset: 6, as: UInt8.self)
    info = bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self)
    data = bytes.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt32.self)
    offender = IPSocketAddress(sockaddr: bytes.extracting(droppingFirst: 16))
  }

  /// The classification of ``errno``.
  public var classification: SocketError.Code { SocketError.Code(errno: errno) }
}

/// What a program asks of one packet that it sends, beyond what the socket's options say. Encoded into control data,
/// without allocation.
@frozen
public struct OutgoingMetadata: BitwiseCopyable, Hashable, Sendable {
  /// The address to send from, one of this host's; its port is ignored (IP_PKTINFO, IPV6_PKTINFO).
  public var source: IPAddress?
  /// The interface to send by, 0 for the routing table's choice.
  public var interfaceIndex: UInt32 = 0
  /// Time to live, or hop limit.
  public var hopLimit: UInt8?
  /// The type-of-service or traffic-class byte.
  public var trafficClass: UInt8?
  /// Send the bytes as datagrams of this size, the last perhaps shorter (UDP_SEGMENT, Linux 4.18).
  public var segmentSize: UInt16?

  @inlinable
  public init() {}

  /// Adds the control messages for a socket of this family.
  /// - Throws: `.capacityExceeded`: 128 bytes hold everything.
  @inlinable
  public func encode<let capacity: Int>(
    into control: inout ControlBuffer<capacity>, for family: AddressFamily
  ) throws(SocketError) {
    if let segmentSize { try control.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: segmentSize) }
    let isIPv6 = family == .ipv6
    if source != nil || interfaceIndex != 0 {
      if isIPv6 {
        var info: (UInt64, UInt64, UInt32) = (0, 0, interfaceIndex)
        if case .v6(let address) = source { (info.0, info.1) = (address.high.bigEndian, address.low.bigEndian) }
        if case .v4(let address) = source {
          let mapped = IPv6Address(mapped: address)
          (info.0, info.1) = (mapped.high.bigEndian, mapped.low.bigEndian)
        }
        try withUnsafeBytes(of: info) { bytes throws(SocketError) in
          try control.append(
            level: CSK_IPPROTO_IPV6, type: CSK_IPV6_PKTINFO, bytes.bytes.extracting(first: 20))
        }
      } else {
        var info: (UInt32, UInt32, UInt32) = (interfaceIndex, 0, 0)
        if case .v4(let address) = source { info.1 = address.bits.bigEndian }
        try withUnsafeBytes(of: info) { bytes throws(SocketError) in
          try control.append(level: CSK_IPPROTO_IP, type: CSK_IP_PKTINFO, bytes.bytes)
        }
      }
    }
    if let hopLimit {
      try control.append(
        level: isIPv6 ? CSK_IPPROTO_IPV6 : CSK_IPPROTO_IP, type: isIPv6 ? CSK_IPV6_HOPLIMIT : CSK_IP_TTL,
        value: Int32(hopLimit))
    }
    if let trafficClass {
      try control.append(
        level: isIPv6 ? CSK_IPPROTO_IPV6 : CSK_IPPROTO_IP, type: isIPv6 ? CSK_IPV6_TCLASS : CSK_IP_TOS,
        value: Int32(trafficClass))
    }
  }
}
