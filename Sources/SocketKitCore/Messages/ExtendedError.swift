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
