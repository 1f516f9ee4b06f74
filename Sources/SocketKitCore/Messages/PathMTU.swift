internal import CSocketKit

/// A notice that a packet was larger than the MTU of its path: struct ip6_mtuinfo of ipv6(7), RFC 3542, section 11.3.
@frozen
public struct PathMTUNotice: BitwiseCopyable, Hashable, Sendable {
  /// The destination of the packet, with port 0.
  public let destination: IPSocketAddress
  /// The path's MTU in bytes, IP header included.
  public let mtu: Int

  /// Decodes a notice; nil when there are fewer than 32 bytes or they contain no IP address.
  @inlinable
  init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= 32, let address = IPSocketAddress(sockaddr: bytes) else { return nil }
    destination = address.with(port: 0)
    mtu = Int(bytes.unsafeLoadUnaligned(fromByteOffset: 28, as: UInt32.self))
  }
}

extension ExtendedError {
  /// The path's MTU in bytes, IP header included, when the entry reports that a packet was too large for its path;
  /// otherwise nil. Either a router reported it (ICMP "fragmentation needed", RFC 1191; ICMPv6 "packet too big", RFC
  /// 8201), or this host knew the MTU and refused the send with `.messageTooLarge`. It is also nil when the router's
  /// message contains no MTU.
  public var pathMTU: Int? {
    let isTooBig =
      switch origin {
      case .icmp: type == CSK_ICMP_DEST_UNREACH && code == CSK_ICMP_FRAG_NEEDED
      case .icmpv6: type == CSK_ICMPV6_PKT_TOOBIG
      case .local: classification == .messageTooLarge
      default: false
      }
    return isTooBig && info > 0 ? Int(info) : nil
  }

  /// The time when the packet was to be sent, in nanoseconds on the socket's clock, for an entry of origin
  /// ``Origin/transmitTime`` (option `.transmitTime` with `reportsErrors`); otherwise nil. ``code`` is the reason why
  /// it was not sent: 1 for a time that the queue does not accept, 2 for a time that has passed.
  public var transmitTime: Int64? {
    origin == .transmitTime ? Int64(bitPattern: UInt64(data) << 32 | UInt64(info)) : nil
  }
}
