public import SocketKitCore

/// The header of an echo request or reply, 8 bytes: RFC 792 (types 8 and 0) and RFC 4443 (types 128 and 129).
@frozen
public struct ICMPEcho: BitwiseCopyable, Hashable, Sendable {
  /// Bytes of the header; the payload follows.
  @inlinable public static var headerLength: Int { 8 }

  public var isReply: Bool
  /// Tells one sender from another. The kernel writes it on ``ICMPSocket``.
  public var identifier: UInt16
  /// Tells one request from another.
  public var sequence: UInt16

  public init(isReply: Bool = false, identifier: UInt16 = 0, sequence: UInt16) {
    self.isReply = isReply
    self.identifier = identifier
    self.sequence = sequence
  }

  /// Writes header and payload.
  ///
  /// The checksum is written for IPv4, as raw sockets need it; ICMPv6's covers addresses too, and the kernel writes it.
  /// - Returns: the bytes written, or nil when they do not fit.
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
      let sum = InternetChecksum.of(message.span.extracting(first: count).bytes)
      message[2] = UInt8(sum >> 8)
      message[3] = UInt8(sum & 255)
    }
    return count
  }

  /// Reads a message that begins with the ICMP header; nil when it is no echo, or too short. The checksum is not looked
  /// at: the kernel has done so.
  public init?(_ message: RawSpan, family: AddressFamily) {
    guard message.byteCount >= Self.headerLength else { return nil }
    switch (message.unsafeLoad(as: UInt8.self), family == .ipv6) {
    case (8, false), (128, true): isReply = false
    case (0, false), (129, true): isReply = true
    default: return nil
    }
    identifier = UInt16(bigEndian: message.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt16.self))
    sequence = UInt16(bigEndian: message.unsafeLoadUnaligned(fromByteOffset: 6, as: UInt16.self))
  }
}

/// The header in front of what raw IPv4 sockets receive: RFC 791, 3.1.
@frozen
public struct IPv4Header: BitwiseCopyable, Hashable, Sendable {
  /// Bytes of the header with its options, 20 to 60: the payload begins there.
  public let length: Int
  public let protocolNumber: IPProtocol
  public let timeToLive: UInt8
  public let source: IPv4Address
  public let destination: IPv4Address

  /// nil when the bytes are no IPv4 packet, or too few.
  public init?(_ packet: RawSpan) {
    guard packet.byteCount >= 20 else { return nil }
    let first = packet.unsafeLoad(as: UInt8.self)
    length = Int(first & 15) * 4
    guard first >> 4 == 4, length >= 20, length <= packet.byteCount else { return nil }
    timeToLive = packet.unsafeLoad(fromByteOffset: 8, as: UInt8.self)
    protocolNumber = IPProtocol(rawValue: Int32(packet.unsafeLoad(fromByteOffset: 9, as: UInt8.self)))
    source = IPv4Address(bits: UInt32(bigEndian: packet.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt32.self)))
    destination = IPv4Address(bits: UInt32(bigEndian: packet.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt32.self)))
  }
}

/// The checksum of IP, ICMP, UDP and TCP: RFC 1071.
public enum InternetChecksum {
  /// Over these bytes; 0 over bytes that hold their own checksum and are whole.
  public static func of(_ bytes: RawSpan) -> UInt16 {
    var sum: UInt64 = 0
    var offset = 0
    while offset + 1 < bytes.byteCount {
      sum += UInt64(UInt16(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
      offset += 2
    }
    if offset < bytes.byteCount { sum += UInt64(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) << 8 }
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(truncatingIfNeeded: sum)
  }
}
