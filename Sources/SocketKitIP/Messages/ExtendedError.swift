public import SocketKitCore

/// An entry of a socket's error queue: struct sock_extended_err of linux/errqueue.h.
@frozen
public struct ExtendedError: BitwiseCopyable, Hashable, Sendable {
  /// The origin of an entry.
  @frozen
  public enum Origin: UInt8, BitwiseCopyable, Hashable, Sendable {
    /// No origin.
    case none = 0
    /// The network stack of this host.
    case local = 1
    /// An ICMP message.
    case icmp = 2
    /// An ICMPv6 message.
    case icmpv6 = 3
    /// A transmit timestamp.
    case timestamping = 4
    /// The completion of one or more zero-copy sends.
    case zeroCopy = 5
    /// A packet that was not sent at its transmit time.
    case transmitTime = 6
  }

  /// The kernel's error number; 0 for completions.
  public let errno: Int32
  /// The origin of the entry.
  public let origin: Origin
  /// The type of the ICMP message. For other origins the meaning depends on the origin.
  public let type: UInt8
  /// The code of the ICMP message. For completions of zero-copy sends, 1 means that the kernel copied the bytes.
  public let code: UInt8
  /// For the ICMP message "packet too big", the path MTU. For completions of zero-copy sends, the number of the first
  /// completed send.
  public let info: UInt32
  /// For completions of zero-copy sends, the number of the last completed send.
  public let data: UInt32
  /// The sender of the ICMP message, with port 0.
  public let offender: IPSocketAddress?

  /// Decodes an entry. Returns nil if there are fewer than 16 bytes or the origin is unknown.
  @inlinable
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= 16, let origin = Origin(rawValue: bytes.integer(at: 4, as: UInt8.self))
    else { return nil }
    errno = bytes.integer(as: Int32.self)
    self.origin = origin
    type = bytes.integer(at: 5, as: UInt8.self)
    code = bytes.integer(at: 6, as: UInt8.self)
    info = bytes.integer(at: 8, as: UInt32.self)
    data = bytes.integer(at: 12, as: UInt32.self)
    offender = IPSocketAddress(sockaddr: bytes.extracting(droppingFirst: 16))
  }

  /// The error code that corresponds to ``errno``.
  public var classification: SocketError.Code { SocketError.Code(errno: errno) }
}
