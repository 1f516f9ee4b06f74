/// What a kind of socket can do, each for a named kernel fact: a transport without one is spared the rules that need it,
/// and no others.
@frozen
public struct SocketCapabilities: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// One direction can be shut down while the other goes on: shutdown(2) with SHUT_WR. SCTP has none (RFC 9260, 9.2).
  @inlinable public static var halfClose: Self { Self(rawValue: 1) }
  /// An empty message can be sent, and told from the end of the connection when received.
  @inlinable public static var emptyMessages: Self { Self(rawValue: 2) }
  /// A write never waits for the peer to read while there is memory: no kernel transport has this.
  @inlinable public static var unlimitedSend: Self { Self(rawValue: 4) }
  /// A message longer than the buffer is not cut: the next receives give the rest, and only the last piece has
  /// ``MessageInfo/Flags/endOfRecord``. SCTP: recvmsg(2) puts the rest back into the queue (net/sctp/socket.c).
  @inlinable public static var continuedMessages: Self { Self(rawValue: 8) }
}

/// Which direction of a connection ends: shutdown(2).
@frozen
public enum ShutdownDirection: Int32, BitwiseCopyable, Hashable, Sendable {
  /// Nothing more is read (SHUT_RD).
  case read = 0
  /// Nothing more is written: the peer reads the end of the stream (SHUT_WR).
  case write = 1
  /// Both (SHUT_RDWR).
  case both = 2
}
