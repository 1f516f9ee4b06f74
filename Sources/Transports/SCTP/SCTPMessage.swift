public import SocketKitCore

/// A message, or a piece of one.
@frozen
public struct SCTPMessage: BitwiseCopyable, Hashable, Sendable {
  /// Bytes in the buffer.
  public var count: Int
  /// Stream, payload protocol, association and so on; nil where SCTP_RECVRCVINFO is off. Each piece has it.
  public var info: SCTPReceiveInfo?
  /// What waits behind it; nil where nothing does, or SCTP_RECVNXTINFO is off.
  public var next: SCTPNextInfo?
  /// Where it came from: one of the peer's addresses.
  public var source: IPSocketAddress?
  /// The message ends here. Otherwise the buffer was too short, and the next receive gives more of it (MSG_EOR).
  public var isComplete: Bool

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

  /// The association that it came by; `.future` where the kernel did not say.
  @inlinable public var association: SCTPAssociationID { info?.association ?? .future }
}

/// The result of a receive.
@frozen
public enum SCTPArrival: BitwiseCopyable, Sendable {
  case message(SCTPMessage)
  /// Ranges in it are places in the buffer.
  case notification(SCTPNotification)
  /// The association has ended; on a one-to-many socket only after its own shutdown.
  case endOfStream
}

/// How many associations a socket has, and how their end shows.
@frozen
public enum SCTPStyle: BitwiseCopyable, Sendable {
  /// One, from a listener or a connect: the kernel ends reading with it.
  case oneToOne
  /// Any number.
  case oneToMany
  /// One, peeled off: only a notification tells of its end.
  case peeledOff
}
