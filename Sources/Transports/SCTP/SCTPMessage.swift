public import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// A message, or a piece of a message.
@frozen
public struct SCTPMessage: BitwiseCopyable, Hashable, Sendable {
  /// The number of bytes in the buffer.
  public var count: Int
  /// The stream, the payload protocol, the association and other attributes; nil if the option
  /// ``SocketKitCore/SocketOption/receiveInfo`` is off. Each piece has these attributes.
  public var info: SCTPReceiveInfo?
  /// The attributes of the next message; nil if that message has not arrived yet, or if the option
  /// ``SocketKitCore/SocketOption/receiveNextInfo`` is off.
  public var next: SCTPNextInfo?
  /// The source address: one of the peer's addresses.
  public var source: IPSocketAddress?
  /// Whether the message ends here (MSG_EOR). If not, the buffer was too short, or the kernel delivered the beginning
  /// before the rest arrived. A later receive call returns more of the message.
  public var isComplete: Bool

  /// Creates a message. By default, the message is complete and has no attributes.
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

  /// Creates the message that a receive call returned.
  @inlinable
  init(count: Int, ancillary: RawSpan, source: IPSocketAddress?, _ flags: MessageInfo.Flags) {
    self.init(count: count, source: source, isComplete: flags.contains(.endOfRecord))
    AncillaryData.forEach(in: ancillary) { level, type, data in
      guard level == CSK_IPPROTO_SCTP else { return }
      if type == CSK_SCTP_CMSG_RCVINFO { info = SCTPReceiveInfo(data) }
      if type == CSK_SCTP_CMSG_NXTINFO { next = SCTPNextInfo(data) }
    }
  }

  /// The association of the message; `.future` if the kernel did not report it.
  @inlinable public var association: SCTPAssociationID { info?.association ?? .future }
}

/// The result of a receive call.
@frozen
public enum SCTPArrival: BitwiseCopyable, Sendable {
  /// A message, or a piece of a message, in the buffer.
  case message(SCTPMessage)
  /// A notification. The ranges in a notification are positions in the buffer.
  case notification(SCTPNotification)
  /// The association has ended. On a one-to-many socket, a receive call returns this result only after a shutdown of
  /// the socket itself.
  case endOfStream
}

/// How many associations a socket has, and how the socket reports the end of an association.
@frozen
public enum SCTPStyle: BitwiseCopyable, Sendable {
  /// One association, from a listener or from a connect call. The kernel returns the end of the stream when the
  /// association ends.
  case oneToOne
  /// Any number of associations.
  case oneToMany
  /// One association that was peeled off. Only a notification reports the end of the association.
  case peeledOff
}
