public import CSocketKit
public import SocketKitCore

/// How one message is sent (RFC 6458, 5.3.4). It is encoded as ancillary data, without allocation.
///
/// On Linux, every send call sends a whole message: there is no explicit end of record (RFC 6458, 8.1.26).
/// ``/SocketKitCore/SendFlags/more`` delays small messages, so that they share a packet with the messages that follow
/// (Linux 4.11).
@frozen
public struct SCTPSendInfo: BitwiseCopyable, Hashable, Sendable {
  /// The stream, from 0 to the number of outgoing streams − 1. For a larger number, the send call throws
  /// `.invalidArgument`.
  public var stream: UInt16
  /// The payload protocol identifier in host byte order.
  ///
  /// SocketKit converts the identifier to network byte order, as RFC 9260 requires, because the kernel does not convert
  /// it.
  public var payloadProtocol: UInt32
  /// Whether the message is delivered as soon as it is complete, before earlier ordered messages.
  public var isUnordered = false
  /// When the message may be abandoned (RFC 3758, RFC 7496).
  ///
  /// This value replaces the socket's default (``SCTPAssociationOption/defaultSendInfo``), even if this value is
  /// `.never`.
  public var expiry = Expiry.never
  /// A number that the program chooses. ``SCTPNotification/sendFailed(_:)`` returns it if sending fails.
  public var context: UInt32 = 0
  /// The association on a one-to-many socket, if no address selects it. Other sockets ignore this field.
  public var association: SCTPAssociationID
  /// Whether the message is sent to the given address instead of the association's primary path (SCTP_ADDR_OVER).
  public var overridesPrimary = false
  /// Whether the peer is asked to acknowledge the message immediately (SCTP_SACK_IMMEDIATELY, RFC 7053).
  public var asksForAcknowledgement = false
  /// The number of the shared key that authenticates the message (RFC 4895); nil for the active key.
  ///
  /// See ``SCTPAssociationAction/installKey(_:secret:)``. The kernel ignores the number if the peer does not require
  /// authentication of data, and rejects a key that is not installed or is deactivated (`.invalidArgument`). Requires
  /// Linux 4.17.
  public var key: UInt16?

  /// Creates the attributes of an ordered message that does not expire.
  @inlinable
  public init(stream: UInt16 = 0, payloadProtocol: UInt32 = 0, association: SCTPAssociationID = .future) {
    self.stream = stream
    self.payloadProtocol = payloadProtocol
    self.association = association
  }

  /// When an undelivered message is abandoned.
  ///
  /// The option `SCTP_PR_SUPPORTED` must be on, which is the default. ``SCTPNotification/sendFailed(_:)`` reports a
  /// message that expired before it was sent. Linux does not report other abandoned messages.
  @frozen
  public struct Expiry: BitwiseCopyable, Hashable, Sendable {
    @usableFromInline let policy: UInt16
    @usableFromInline let value: UInt32

    @inlinable
    init(policy: Int32, value: UInt32) {
      self.policy = UInt16(truncatingIfNeeded: policy)
      self.value = value
    }

    /// Never: the message is retransmitted until it arrives or the association is lost.
    @inlinable public static var never: Self { Self(policy: CSK_SCTP_PR_NONE, value: 0) }
    /// When this time has passed since the message was sent (SCTP_PR_SCTP_TTL). The time is 1 ms to 49 days, rounded up
    /// to whole milliseconds. A time outside this range is replaced by the nearest value in the range.
    public static func after(_ lifetime: Duration) -> Self {
      Self(policy: CSK_SCTP_PR_TTL, value: UInt32(clamping: max(1, lifetime.units(of: .milliseconds(1)))))
    }
    /// After this number of retransmissions; 0 sends the message once (SCTP_PR_SCTP_RTX).
    @inlinable
    public static func retransmissions(_ number: UInt32) -> Self { Self(policy: CSK_SCTP_PR_RTX, value: number) }
    /// When the send buffer is full and a message of higher priority needs its space (SCTP_PR_SCTP_PRIO). A lower
    /// number is a higher priority.
    @inlinable
    public static func priority(_ number: UInt32) -> Self { Self(policy: CSK_SCTP_PR_PRIO, value: number) }
  }

  /// The capacity in bytes of a ``/SocketKitCore/AncillaryBuffer`` that is large enough for any ``SCTPSendInfo``.
  @inlinable public static var ancillaryLength: Int { 80 }

  /// Appends the ancillary messages.
  /// - Throws: `.capacityExceeded` if they do not fit; ``ancillaryLength`` bytes are always enough. On failure, some
  ///   ancillary messages may have been appended.
  @inlinable @inline(__always)
  public func encode<let capacity: Int>(into ancillary: inout AncillaryBuffer<capacity>) throws(SocketError) {
    try encode(into: &ancillary, adding: 0)
  }

  // This method is always inlined. Otherwise the optimizer would merge the copies in this module and in a program into
  // one function that is called through pointers.
  @inlinable @inline(__always)
  func encode<let capacity: Int>(into ancillary: inout AncillaryBuffer<capacity>, adding more: Int32)
    throws(SocketError)
  {
    var flags = more
    if isUnordered { flags |= CSK_SCTP_UNORDERED }
    if overridesPrimary { flags |= CSK_SCTP_ADDR_OVER }
    if asksForAcknowledgement { flags |= CSK_SCTP_SACK_IMMEDIATELY }
    // This code uses tuples, because a C structure as a generic argument in inlined code crashes the compiler (6.3.1)
    // in other packages.
    // struct sctp_sndinfo: stream, flags, payload protocol, context, association.
    let head: (UInt16, UInt16, UInt32, UInt32, Int32) = (
      stream, UInt16(truncatingIfNeeded: flags), payloadProtocol.bigEndian, context, association.rawValue
    )
    try ancillary.append(level: CSK_IPPROTO_SCTP, type: CSK_SCTP_CMSG_SNDINFO, value: head)
    // struct sctp_prinfo: policy, padding, value. This message is appended even for `.never`. Otherwise, the kernel
    // would use the message lifetime that the socket's default settings specify.
    let reliability: (UInt16, UInt16, UInt32) = (expiry.policy, 0, expiry.value)
    try ancillary.append(level: CSK_IPPROTO_SCTP, type: CSK_SCTP_CMSG_PRINFO, value: reliability)
    if let key { try ancillary.append(level: CSK_IPPROTO_SCTP, type: CSK_SCTP_CMSG_AUTHINFO, value: key) }
  }
}

extension SCTPAssociationID {
  /// Whether the ID identifies one association, and is not one of the kernel's constants for several associations.
  @inlinable public var isOne: Bool { rawValue > CSK_SCTP_ALL_ASSOC }
}
