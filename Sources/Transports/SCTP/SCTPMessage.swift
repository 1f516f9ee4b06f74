public import SocketKitCore

/// A message, or a piece of one.
@frozen
public struct SCTPMessage: BitwiseCopyable, Hashable, Sendable {
  /// The number of bytes in the buffer.
  public var count: Int
  /// The stream, the payload protocol, the association and other attributes; nil if SCTP_RECVRCVINFO is off. Each piece
  /// has them.
  public var info: SCTPReceiveInfo?
  /// The attributes of the next message; nil if none has arrived, or if SCTP_RECVNXTINFO is off.
  public var next: SCTPNextInfo?
  /// The source address: one of the peer's addresses.
  public var source: IPSocketAddress?
  /// Whether the message ends here (MSG_EOR). If not, the buffer was too short, and the next receive returns more of
  /// the message.
  public var isComplete: Bool

  /// Creates a message; by default, a complete one without attributes.
  @inlinable
  public init(
    count: Int, info: SCTPReceiveInfo? = nil, next: SCTPNextInfo? = nil, source: IPSocketAddress? = nil,
    isComplete: Bool = true
  ) {
    self.count = count
    self.info = info
    self.next = next
    self.source = source
    self.isComplete = isComplete
  }

  /// The association of the message; `.future` if the kernel did not report it.
  @inlinable public var association: SCTPAssociationID { info?.association ?? .future }
}

/// The result of a receive.
@frozen
public enum SCTPArrival: BitwiseCopyable, Sendable {
  /// A message, or a piece of one, in the buffer.
  case message(SCTPMessage)
  /// A notification. Its ranges are positions in the buffer.
  case notification(SCTPNotification)
  /// The association has ended; on a one-to-many socket, only after the socket's own shutdown.
  case endOfStream
}

/// How many associations a socket has, and how it reports their end.
@frozen
public enum SCTPStyle: BitwiseCopyable, Sendable {
  /// One association, from a listener or a connect: the kernel ends reading when the association ends.
  case oneToOne
  /// Any number of associations.
  case oneToMany
  /// One association, peeled off: only a notification reports its end.
  case peeledOff
}
