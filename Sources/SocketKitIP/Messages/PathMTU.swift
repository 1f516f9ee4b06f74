internal import CSocketKit
public import SocketKitCore

/// A notice that a packet was larger than the MTU of its path: struct ip6_mtuinfo of ipv6(7), RFC 3542, section 11.3.
@frozen
public struct PathMTUNotice: BitwiseCopyable, Hashable, Sendable {
  /// The destination of the packet, with port 0.
  public let destination: IPSocketAddress
  /// The path's MTU in bytes, including the IP header.
  public let mtu: Int

  /// Decodes a notice. Returns nil if there are fewer than 32 bytes or the bytes contain no IP address.
  @inlinable
  init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= 32, let address = IPSocketAddress(sockaddr: bytes) else { return nil }
    destination = address.with(port: 0)
    mtu = Int(bytes.integer(at: 28, as: UInt32.self))
  }
}

extension ExtendedError {
  /// The path's MTU in bytes, including the IP header, if the entry reports that a packet was too large for its path.
  /// The property is nil for other entries, and if the router's message contains no MTU. The kernel makes such an entry
  /// when a router reports the error (ICMP "fragmentation needed", RFC 1191; ICMPv6 "packet too big", RFC 8201), and
  /// when a send on this host fails with `.messageTooLarge` because the packet is larger than the stored path MTU.
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

  /// The transmit time of a packet that was not sent, in nanoseconds on the socket's clock; nil unless the origin of
  /// the entry is ``Origin/transmitTime`` (option `.transmitTime` with `reportsErrors`). ``code`` is the reason why the
  /// packet was not sent: 1 if the queueing discipline does not accept the time, 2 if the time has passed.
  public var transmitTime: Int64? {
    origin == .transmitTime ? Int64(bitPattern: UInt64(data) << 32 | UInt64(info)) : nil
  }
}
