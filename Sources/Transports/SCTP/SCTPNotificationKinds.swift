public import SocketKitCore

// What the notifications say, in the order of RFC 6458, 6.1.

/// An association began or ended (RFC 6458, 6.1.1).
public struct SCTPAssociationChange: BitwiseCopyable, Hashable, Sendable {
  public enum State: UInt16, BitwiseCopyable, Sendable {
    /// It is up: messages can be sent.
    case up = 0
    /// It failed, or either side aborted it.
    case lost = 1
    /// The peer began anew, without memory of what was before: messages may be missing. It is up.
    case restarted = 2
    /// It was shut down in order: everything was delivered.
    case shutDown = 3
    /// It could not be set up.
    case cannotStart = 4
  }
  public var state: State
  /// Why it ended; `.none` when the peer did not answer.
  public var cause: SCTPErrorCause
  /// How many streams there are to send on.
  public var outgoingStreams: UInt16
  /// How many streams the peer sends on.
  public var incomingStreams: UInt16
  /// The association; `.future` for one that could not be set up.
  public var association: SCTPAssociationID
  /// What an ABORT chunk of the peer said: its error causes as on the wire. Read them with
  /// ``SCTPErrorCause/forEach(in:_:)`` or ``SCTPErrorCause/reason(in:)``.
  public var causes: SCTPNotificationBytes

  /// Whether there is no association any more.
  public var isEnd: Bool { state == .lost || state == .shutDown || state == .cannotStart }
}

/// An address of the peer changed its state (RFC 6458, 6.1.2).
public struct SCTPPeerAddressChange: BitwiseCopyable, Hashable, Sendable {
  public enum State: UInt32, BitwiseCopyable, Sendable {
    case available = 0
    case unreachable = 1
    case removed = 2
    case added = 3
    case madePrimary = 4
    /// The peer has answered from there for the first time.
    case confirmed = 5
    /// Messages go elsewhere for the time being; told only with SCTP_EXPOSE_PF_STATE.
    case potentiallyFailed = 6
  }
  /// The address; nil when it is none of IP.
  public var address: IPSocketAddress?
  public var state: State
  /// The kernel's reason (sctp_sn_error): 0 too many failures, 2 an answered heartbeat, and so on.
  public var error: UInt32
  public var association: SCTPAssociationID
}

/// The peer sent an ERROR chunk (RFC 6458, 6.1.3).
public struct SCTPRemoteError: BitwiseCopyable, Hashable, Sendable {
  /// Its first cause.
  public var cause: SCTPErrorCause
  public var association: SCTPAssociationID
  /// That cause's data, without type and length, padded to words.
  public var data: SCTPNotificationBytes
}

/// A message that could not be delivered (RFC 6458, 6.1.4 and 6.1.11).
public struct SCTPSendFailure: BitwiseCopyable, Hashable, Sendable {
  /// It was put on the wire, so that it may have arrived all the same.
  public var wasSent: Bool
  /// Why, where the kernel says so; see ``rawError``.
  public var cause: SCTPErrorCause
  /// What the kernel wrote: an error cause in the network's order, or 0.
  public var rawError: UInt32
  /// What it was sent with: stream, payload protocol, context, association and whether unordered. The old form, too.
  public var info: SCTPSendInfo
  /// ``payload`` is the beginning of the message.
  public var isFirstFragment: Bool
  /// ``payload`` is the end of the message. Both are set for a message that went in one chunk.
  public var isLastFragment: Bool
  /// Its bytes. A long message comes back in several notifications, one for each of its chunks, in order.
  public var payload: SCTPNotificationBytes

  public var association: SCTPAssociationID { info.association }
}

/// The rest of a message will not come (RFC 6458, 6.1.7).
public struct SCTPPartialDelivery: BitwiseCopyable, Hashable, Sendable {
  /// It was given up; nothing else has been defined.
  public var isAborted: Bool
  public var association: SCTPAssociationID
  /// The message's stream. The kernel reports it only where fragments are interleaved
  /// (``SCTPAssociationOption/interleavingSupported``); otherwise this is 0, and an association has one such message at
  /// most (sctp_ulpq_abort_pd in net/sctp/ulpqueue.c).
  public var stream: UInt16
  /// The message was sent unordered. Reported only where ``stream`` is.
  public var isUnordered: Bool
  /// Its number in the stream. Reported only where ``stream`` is.
  public var sequence: UInt32
}

/// Something about keys (RFC 6458, 6.1.8).
public struct SCTPAuthentication: BitwiseCopyable, Hashable, Sendable {
  public enum Event: UInt32, BitwiseCopyable, Sendable {
    /// The peer uses a new key.
    case newKey = 0
    /// Nothing uses the key any more: it may be deleted.
    case keyIsFree = 1
    /// The peer does not authenticate.
    case noAuthentication = 2
  }
  public var event: Event
  public var key: UInt16
  public var alternativeKey: UInt16
  public var association: SCTPAssociationID
}

/// What came of a wish to reconfigure an association (RFC 6525).
public enum SCTPReconfiguration: BitwiseCopyable, Hashable, Sendable {
  case done
  /// The peer refused.
  case denied
  case failed
}

/// Streams begin anew with number 0 (RFC 6525, 6.1.1).
public struct SCTPStreamReset: BitwiseCopyable, Hashable, Sendable {
  /// Those that the peer sends on.
  public var isIncoming: Bool
  /// Those that this side sends on.
  public var isOutgoing: Bool
  public var result: SCTPReconfiguration
  public var association: SCTPAssociationID
  /// The streams, 2 bytes each in the host's order; none means all.
  public var streams: SCTPNotificationBytes

  /// The streams, read from the buffer that the notification was received into; empty means all.
  public func streamNumbers(in buffer: RawSpan) -> [UInt16] {
    let range = streams.range
    guard range.upperBound <= buffer.byteCount else { return [] }
    return stride(from: range.lowerBound, to: range.upperBound - 1, by: 2).map {
      buffer.unsafeLoadUnaligned(fromByteOffset: $0, as: UInt16.self)
    }
  }
}

/// The whole association begins anew (RFC 6525, 6.1.2).
public struct SCTPAssociationReset: BitwiseCopyable, Hashable, Sendable {
  public var result: SCTPReconfiguration
  public var association: SCTPAssociationID
  /// The next transmission sequence number of this side.
  public var localTSN: UInt32
  /// The next one of the peer.
  public var remoteTSN: UInt32
}

/// Streams were added (RFC 6525, 6.1.3).
public struct SCTPStreamChange: BitwiseCopyable, Hashable, Sendable {
  public var result: SCTPReconfiguration
  public var association: SCTPAssociationID
  /// How many streams the peer sends on now.
  public var incomingStreams: UInt16
  /// How many streams there are to send on now.
  public var outgoingStreams: UInt16
}
