/// What came with a message, filled in place: trivial, so receiving allocates nothing.
@frozen
public struct MessageInfo: BitwiseCopyable, Sendable {
  /// The whole message's length in bytes, even where the buffer was shorter.
  public var length: Int = 0
  /// Bytes of control data received.
  public var controlLength: Int = 0
  /// What recvmsg(2) reports in msg_flags.
  public var flags: Flags = []
  /// The sender with the address's true length; no address on a connected socket of most transports.
  public var address = AnySocketAddress()

  @inlinable
  public init() {}

  /// The message was longer than the buffer: the rest is lost.
  @inlinable public var isTruncated: Bool { flags.contains(.truncated) }

  /// Flags of a received message: recvmsg(2).
  @frozen
  public struct Flags: OptionSet, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: Int32
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }
    /// Control data was longer than its buffer: some is lost (MSG_CTRUNC).
    @inlinable public static var controlTruncated: Self { Self(rawValue: 0x8) }
    /// The message was longer than the buffer: the rest is lost (MSG_TRUNC).
    @inlinable public static var truncated: Self { Self(rawValue: 0x20) }
    /// The record ends here (MSG_EOR).
    @inlinable public static var endOfRecord: Self { Self(rawValue: 0x80) }
    /// The message is from the error queue (MSG_ERRQUEUE).
    @inlinable public static var errorQueue: Self { Self(rawValue: 0x2000) }
    /// The message is a notification of the transport, not the peer's (MSG_NOTIFICATION, SCTP).
    @inlinable public static var notification: Self { Self(rawValue: 0x8000) }
  }
}

/// How a message is received: recvmsg(2).
@frozen
public struct ReceiveFlags: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// Leave the message in the queue (MSG_PEEK).
  @inlinable public static var peek: Self { Self(rawValue: 0x2) }
  /// Read the error queue instead: ICMP errors, transmit timestamps, zero-copy completions (MSG_ERRQUEUE).
  @inlinable public static var errorQueue: Self { Self(rawValue: 0x2000) }
}

/// How a message is sent: sendmsg(2).
@frozen
public struct SendFlags: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// Only to hosts on directly connected networks (MSG_DONTROUTE).
  @inlinable public static var doNotRoute: Self { Self(rawValue: 0x4) }
  /// This ends a record (MSG_EOR).
  @inlinable public static var endOfRecord: Self { Self(rawValue: 0x80) }
  /// More follows: wait for it before sending (MSG_MORE).
  @inlinable public static var more: Self { Self(rawValue: 0x8000) }
  /// Send from the caller's memory, which must not change until the completion has come (MSG_ZEROCOPY, Linux 4.14; UDP
  /// 5.0). Needs the option `.zeroCopy`.
  @inlinable public static var zeroCopy: Self { Self(rawValue: 0x400_0000) }
}
