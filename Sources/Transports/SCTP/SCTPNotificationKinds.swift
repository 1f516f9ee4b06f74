internal import SocketKitCore
public import SocketKitIP

// The contents of notifications, in the order of RFC 6458, 6.1.

/// An association began or ended (RFC 6458, 6.1.1).
public struct SCTPAssociationChange: BitwiseCopyable, Hashable, Sendable {
  /// What happened to the association.
  public enum State: UInt16, BitwiseCopyable, Sendable {
    /// The association is established: messages can be sent.
    case up = 0
    /// The association failed, or one end aborted the association.
    case lost = 1
    /// The peer restarted without its earlier state, so messages may be missing. The association is established.
    case restarted = 2
    /// The association was shut down gracefully: all messages were delivered.
    case shutDown = 3
    /// The association could not be established.
    case cannotStart = 4
  }
  /// What happened to the association.
  public var state: State
  /// Why the association ended; `.none` if the peer did not answer.
  public var cause: SCTPErrorCause
  /// The number of streams on which this end sends.
  public var outgoingStreams: UInt16
  /// The number of streams on which the peer sends.
  public var incomingStreams: UInt16
  /// The association; `.future` if it could not be established.
  public var association: SCTPAssociationID
  /// The error causes of the peer's ABORT chunk, in wire format.
  ///
  /// Read the causes with ``SCTPErrorCause/forEach(in:_:)`` or ``SCTPErrorCause/reason(in:)``.
  public var causes: SCTPNotificationBytes

  /// Whether the association no longer exists.
  public var isEnd: Bool { state == .lost || state == .shutDown || state == .cannotStart }
}

/// An address of the peer changed its state (RFC 6458, 6.1.2).
public struct SCTPPeerAddressChange: BitwiseCopyable, Hashable, Sendable {
  /// What happened to the address.
  public enum State: UInt32, BitwiseCopyable, Sendable {
    /// The address can be reached.
    case available = 0
    /// The address can no longer be reached. Data is sent to another address.
    case unreachable = 1
    /// The address no longer belongs to the association.
    case removed = 2
    /// The address now belongs to the association.
    case added = 3
    /// The address is now the primary address.
    case madePrimary = 4
    /// The peer has answered from this address for the first time.
    case confirmed = 5
    /// Messages temporarily use other addresses. The kernel reports this state only if the option
    /// ``SCTPAssociationOption/exposesPotentiallyFailed`` is on.
    case potentiallyFailed = 6
  }
  /// The address; nil if it is not an IP address.
  public var address: IPSocketAddress?
  /// What happened to the address.
  public var state: State
  /// The kernel's reason (sctp_sn_error): 0 for too many failures, 2 for an answered heartbeat, and so on.
  public var error: UInt32
  /// The association.
  public var association: SCTPAssociationID
}

/// The peer sent an ERROR chunk (RFC 6458, 6.1.3).
public struct SCTPRemoteError: BitwiseCopyable, Hashable, Sendable {
  /// The first cause in the chunk.
  public var cause: SCTPErrorCause
  /// The association.
  public var association: SCTPAssociationID
  /// The data of that cause, without type and length, padded to a multiple of 4 bytes.
  public var data: SCTPNotificationBytes
}

/// A message that could not be delivered (RFC 6458, 6.1.4 and 6.1.11).
public struct SCTPSendFailure: BitwiseCopyable, Hashable, Sendable {
  /// Whether the message was sent. A message that was sent may have arrived.
  public var wasSent: Bool
  /// The cause, if the kernel reports one; see ``rawError``.
  public var cause: SCTPErrorCause
  /// The value that the kernel wrote: an error cause in network byte order, or 0.
  public var rawError: UInt32
  /// The attributes of the message: stream, payload protocol, context, association and whether it is unordered. The old
  /// form of the notification contains these attributes too.
  public var info: SCTPSendInfo
  /// Whether ``payload`` is the beginning of the message.
  public var isFirstFragment: Bool
  /// Whether ``payload`` is the end of the message. If the message was sent in one chunk, the payload is both the
  /// beginning and the end of the message.
  public var isLastFragment: Bool
  /// The bytes of the message. A long message is returned in several notifications, one per chunk, in order.
  public var payload: SCTPNotificationBytes

  /// The association of the message.
  public var association: SCTPAssociationID { info.association }
}

/// The rest of a message will not arrive (RFC 6458, 6.1.7).
public struct SCTPPartialDelivery: BitwiseCopyable, Hashable, Sendable {
  /// Whether the message was abandoned (SCTP_PARTIAL_DELIVERY_ABORTED). The kernel defines no other value.
  public var isAborted: Bool
  /// The association of the message.
  public var association: SCTPAssociationID
  /// The stream of the message.
  ///
  /// The kernel reports the stream only if fragments are interleaved (``SCTPAssociationOption/interleavingSupported``).
  /// Otherwise this field is 0, and an association has at most one such message (sctp_ulpq_abort_pd in
  /// net/sctp/ulpqueue.c).
  public var stream: UInt16
  /// Whether the message was sent unordered. The kernel reports this field under the same condition as ``stream``.
  public var isUnordered: Bool
  /// The number of the message in the stream. The kernel reports this field under the same condition as ``stream``.
  public var sequence: UInt32
}

/// An event about authentication keys (RFC 6458, 6.1.8).
public struct SCTPAuthentication: BitwiseCopyable, Hashable, Sendable {
  /// What happened.
  public enum Event: UInt32, BitwiseCopyable, Sendable {
    /// The peer uses a new key.
    case newKey = 0
    /// The key is no longer used and may be deleted.
    case keyIsFree = 1
    /// The peer does not authenticate.
    case noAuthentication = 2
  }
  /// What happened.
  public var event: Event
  /// The number of the key that the event concerns.
  public var key: UInt16
  /// A second key number. On Linux, it is 0 in every event.
  public var alternativeKey: UInt16
  /// The association.
  public var association: SCTPAssociationID
}

/// The result of a request to reconfigure an association (RFC 6525).
public enum SCTPReconfiguration: BitwiseCopyable, Hashable, Sendable {
  /// The request was carried out.
  case done
  /// The peer refused the request.
  case denied
  /// The request failed for another reason.
  case failed
}

/// A reset of streams, after which their message numbers start at 0 (RFC 6525, 6.1.1).
public struct SCTPStreamReset: BitwiseCopyable, Hashable, Sendable {
  /// Whether the streams that the peer sends on are reset.
  public var isIncoming: Bool
  /// Whether the streams that this end sends on are reset.
  public var isOutgoing: Bool
  /// The result of the request.
  public var result: SCTPReconfiguration
  /// The association.
  public var association: SCTPAssociationID
  /// The streams, 2 bytes each in host byte order; empty for all streams.
  public var streams: SCTPNotificationBytes

  /// Returns the numbers of the streams, read from the buffer that received the notification; empty for all streams.
  public func streamNumbers(in buffer: Span<UInt8>) -> [UInt16] {
    let range = streams.range
    guard range.upperBound <= buffer.count else { return [] }
    let bytes = buffer.integerBytes
    return stride(from: range.lowerBound, to: range.upperBound - 1, by: 2).map {
      bytes.integer(at: $0, as: UInt16.self)
    }
  }
}

/// A reset of all numbers of an association (RFC 6525, 6.1.2).
public struct SCTPAssociationReset: BitwiseCopyable, Hashable, Sendable {
  /// The result of the request.
  public var result: SCTPReconfiguration
  /// The association.
  public var association: SCTPAssociationID
  /// The next transmission sequence number that this end expects from the peer, despite the name of the field
  /// (net/sctp/stream.c).
  public var localTSN: UInt32
  /// The next transmission sequence number that this end sends, despite the name of the field (net/sctp/stream.c).
  public var remoteTSN: UInt32
}

/// An addition of streams (RFC 6525, 6.1.3).
public struct SCTPStreamChange: BitwiseCopyable, Hashable, Sendable {
  /// The result of the request.
  public var result: SCTPReconfiguration
  /// The association.
  public var association: SCTPAssociationID
  /// The number of additional streams that were requested for the direction in which the peer sends, not the total
  /// number of streams in this direction (net/sctp/stream.c).
  public var incomingStreams: UInt16
  /// The number of additional streams that were requested for the direction in which this end sends, not the total
  /// number of streams in this direction (net/sctp/stream.c).
  public var outgoingStreams: UInt16
}
