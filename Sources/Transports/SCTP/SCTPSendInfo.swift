public import CSocketKit
public import SocketKitCore

/// How one message is sent (RFC 6458, 5.3.4): encoded as control data beside it, without allocation.
///
/// Every send is a whole message on Linux: there is no explicit end of record (RFC 6458, 8.1.26). ``SendFlags/more`` holds
/// small messages back, to go in one packet with those that follow (Linux 4.11).
@frozen
public struct SCTPSendInfo: BitwiseCopyable, Hashable, Sendable {
  /// The stream: 0 to the number of outgoing streams − 1 (`.invalidArgument` beyond).
  public var stream: UInt16
  /// The payload protocol identifier, in the host's byte order: the wire has it in the network's, as RFC 9260 asks, and the
  /// conversion is done here. The kernel passes it on as it is.
  public var payloadProtocol: UInt32
  /// Delivered as soon as it is whole, before ordered messages that came earlier.
  public var isUnordered = false
  /// When the message may be given up (RFC 3758, RFC 7496). It replaces the socket's default
  /// (``SCTPAssociationOption/defaultSendInfo``), also when it is `.never`.
  public var expiry = Expiry.never
  /// A number of the program's own, which comes back when sending failed.
  public var context: UInt32 = 0
  /// Which association of a one-to-many socket, where no address says so; the others ignore it.
  public var association: SCTPAssociationID
  /// Goes to the given address rather than to the association's primary path (SCTP_ADDR_OVER).
  public var overridesPrimary = false
  /// Asks the peer to acknowledge at once (SCTP_SACK_IMMEDIATELY, RFC 7053).
  public var asksForAcknowledgement = false
  /// The number of the shared key that authenticates the message (RFC 4895); nil for the active one. See
  /// `installKey(_:secret:for:)`. The kernel ignores it where the peer does not require
  /// authentication of data, and refuses a key that is not installed or is deactivated (`.invalidArgument`). Linux
  /// 4.17.
  public var key: UInt16?

  @inlinable
  public init(stream: UInt16 = 0, payloadProtocol: UInt32 = 0, association: SCTPAssociationID = .future) {
    self.stream = stream
    self.payloadProtocol = payloadProtocol
    self.association = association
  }

  /// When a message that has not been delivered is given up. The option `SCTP_PR_SUPPORTED` must be on, which it is by
  /// default. ``SCTPNotification/sendFailed(_:)`` tells of it where its time was over before it was sent; of others Linux
  /// tells nothing.
  @frozen
  public struct Expiry: BitwiseCopyable, Hashable, Sendable {
    @usableFromInline let policy: UInt16
    @usableFromInline let value: UInt32

    @inlinable
    init(policy: Int32, value: UInt32) {
      self.policy = UInt16(truncatingIfNeeded: policy)
      self.value = value
    }

    /// Never: sent again until it has arrived or the association is lost.
    @inlinable public static var never: Self { Self(policy: CSK_SCTP_PR_NONE, value: 0) }
    /// When so long a time has passed since it was sent: 1 ms to 49 days, in milliseconds, rounded up; what is out of this
    /// range becomes the nearest value (SCTP_PR_SCTP_TTL).
    public static func after(_ lifetime: Duration) -> Self {
      Self(policy: CSK_SCTP_PR_TTL, value: UInt32(clamping: max(1, lifetime.units(of: .milliseconds(1)))))
    }
    /// After so many retransmissions; 0 sends once (SCTP_PR_SCTP_RTX).
    @inlinable
    public static func retransmissions(_ number: UInt32) -> Self { Self(policy: CSK_SCTP_PR_RTX, value: number) }
    /// When the send buffer is full and a message of higher priority, that is of a lower number, wants its room
    /// (SCTP_PR_SCTP_PRIO).
    @inlinable
    public static func priority(_ number: UInt32) -> Self { Self(policy: CSK_SCTP_PR_PRIO, value: number) }
  }

  /// Bytes of a ``ControlBuffer`` that hold everything.
  @inlinable public static var controlLength: Int { 80 }

  /// Adds the control messages.
  /// - Throws: `.capacityExceeded`: ``controlLength`` bytes hold everything. Some messages may have been added then.
  @inlinable @inline(__always)
  public func encode<let capacity: Int>(into control: inout ControlBuffer<capacity>) throws(SocketError) {
    try encode(into: &control, adding: 0)
  }

  // Always inlined: of its copies in this module and in a program's the optimizer would make one with pointers to call.
  @inlinable @inline(__always)
  func encode<let capacity: Int>(into control: inout ControlBuffer<capacity>, adding more: Int32) throws(SocketError) {
    var flags = more
    if isUnordered { flags |= CSK_SCTP_UNORDERED }
    if overridesPrimary { flags |= CSK_SCTP_ADDR_OVER }
    if asksForAcknowledgement { flags |= CSK_SCTP_SACK_IMMEDIATELY }
    // Tuples, because a C structure as a generic argument in inlined code crashes the compiler (6.3.1) in other packages.
    // struct sctp_sndinfo: stream, flags, payload protocol, context, association.
    let head: (UInt16, UInt16, UInt32, UInt32, Int32) = (
      stream, UInt16(truncatingIfNeeded: flags), payloadProtocol.bigEndian, context, association.rawValue
    )
    try withUnsafeBytes(of: head) { bytes throws(SocketError) in
      try control.append(level: CSK_IPPROTO_SCTP, type: CSK_SCTP_CMSG_SNDINFO, bytes.bytes)
    }
    // struct sctp_prinfo: policy, padding, value. Also for `.never`: without it the kernel uses the default's time.
    let reliability: (UInt16, UInt16, UInt32) = (expiry.policy, 0, expiry.value)
    try withUnsafeBytes(of: reliability) { bytes throws(SocketError) in
      try control.append(level: CSK_IPPROTO_SCTP, type: CSK_SCTP_CMSG_PRINFO, bytes.bytes)
    }
    if let key {
      try withUnsafeBytes(of: key) { bytes throws(SocketError) in
        try control.append(level: CSK_IPPROTO_SCTP, type: CSK_SCTP_CMSG_AUTHINFO, bytes.bytes)
      }
    }
  }
}

extension SCTPAssociationID {
  /// Whether this is one association, rather than one of the kernel's words for several.
  @inlinable public var isOne: Bool { rawValue > CSK_SCTP_ALL_ASSOC }
}
