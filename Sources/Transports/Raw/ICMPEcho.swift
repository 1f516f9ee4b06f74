public import SocketKitCore
public import SocketKitIP

/// The header of an echo request or reply, 8 bytes: RFC 792 (types 8 and 0) and RFC 4443 (types 128 and 129).
@frozen
public struct ICMPEcho: BitwiseCopyable, Hashable, Sendable {
  /// The length of the header in bytes; the payload follows.
  @inlinable public static var headerLength: Int { 8 }

  /// Whether this is a reply rather than a request.
  public var isReply: Bool
  /// Identifies the sender. On an ``ICMPSocket``, the kernel sets the identifier.
  public var identifier: UInt16
  /// Identifies the request.
  public var sequence: UInt16

  /// Creates the header of a request or a reply; of a request by default.
  public init(isReply: Bool = false, identifier: UInt16 = 0, sequence: UInt16) {
    self.isReply = isReply
    self.identifier = identifier
    self.sequence = sequence
  }

  /// Writes the header and the payload.
  ///
  /// For IPv4, the call writes the checksum, because raw sockets require it. For ICMPv6, the kernel writes the
  /// checksum, because that checksum also covers addresses.
  /// - Returns: the number of bytes written, or nil if they do not fit.
  public func encode(
    for family: AddressFamily, payload: Span<UInt8>, into message: inout MutableSpan<UInt8>
  ) -> Int? {
    let count = Self.headerLength + payload.count
    guard message.count >= count else { return nil }
    message[0] = family == .ipv6 ? (isReply ? 129 : 128) : (isReply ? 0 : 8)
    message[1] = 0
    message[2] = 0
    message[3] = 0
    message[4] = UInt8(identifier >> 8)
    message[5] = UInt8(identifier & 255)
    message[6] = UInt8(sequence >> 8)
    message[7] = UInt8(sequence & 255)
    for index in payload.indices { message[Self.headerLength + index] = payload[index] }
    if family != .ipv6 {
      let sum = InternetChecksum.of(message.span.extracting(first: count))
      message[2] = UInt8(sum >> 8)
      message[3] = UInt8(sum & 255)
    }
    return count
  }

  /// Reads a message that begins with the ICMP header. Returns nil if the message is not an echo message or is too
  /// short. Does not verify the checksum, because the kernel has already verified it.
  public init?(_ message: Span<UInt8>, family: AddressFamily) {
    guard message.count >= Self.headerLength else { return nil }
    switch (message[0], family == .ipv6) {
    case (8, false), (128, true): isReply = false
    case (0, false), (129, true): isReply = true
    default: return nil
    }
    identifier = UInt16(bigEndian: message.integerBytes.integer(at: 4, as: UInt16.self))
    sequence = UInt16(bigEndian: message.integerBytes.integer(at: 6, as: UInt16.self))
  }
}

/// The header that precedes the payload of packets received on raw IPv4 sockets: RFC 791, 3.1.
@frozen
public struct IPv4Header: BitwiseCopyable, Hashable, Sendable {
  /// The length of the header including its options, 20 to 60 bytes. The payload begins at this offset.
  public let length: Int
  /// The protocol of the payload.
  public let protocolNumber: IPProtocol
  /// The number of further hops that the packet was permitted to make, 0 to 255.
  public let timeToLive: UInt8
  /// The source address.
  public let source: IPv4Address
  /// The destination address.
  public let destination: IPv4Address

  /// Returns nil if the bytes are not an IPv4 packet, or if there are too few bytes.
  public init?(_ packet: Span<UInt8>) {
    guard packet.count >= 20 else { return nil }
    let first = packet[0]
    length = Int(first & 15) * 4
    guard first >> 4 == 4, length >= 20, length <= packet.count else { return nil }
    timeToLive = packet[8]
    protocolNumber = IPProtocol(rawValue: Int32(packet[9]))
    source = IPv4Address(bits: UInt32(bigEndian: packet.integerBytes.integer(at: 12, as: UInt32.self)))
    destination = IPv4Address(bits: UInt32(bigEndian: packet.integerBytes.integer(at: 16, as: UInt32.self)))
  }
}

/// The checksum of IP, ICMP, UDP and TCP: RFC 1071.
public enum InternetChecksum {
  /// Returns the checksum of these bytes. The result is 0 if the bytes contain their own checksum and are intact.
  public static func of(_ bytes: Span<UInt8>) -> UInt16 {
    var sum: UInt64 = 0
    var offset = 0
    while offset + 1 < bytes.count {
      sum += UInt64(UInt16(bigEndian: bytes.integerBytes.integer(at: offset, as: UInt16.self)))
      offset += 2
    }
    if offset < bytes.count { sum += UInt64(bytes[offset]) << 8 }
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(truncatingIfNeeded: sum)
  }
}
