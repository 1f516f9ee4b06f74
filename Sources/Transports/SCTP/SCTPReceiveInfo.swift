public import CSocketKit
public import SocketKitCore

/// The attributes of a received message (RFC 6458, 5.3.5).
///
/// The kernel provides these attributes if the option ``SocketKitCore/SocketOption/receiveInfo`` is on, which is the
/// default on one-to-many and peeled-off sockets.
@frozen
public struct SCTPReceiveInfo: BitwiseCopyable, Hashable, Sendable {
  /// The stream on which the message was sent.
  public var stream: UInt16 = 0
  /// The number of the message within the stream. The number has no meaning for unordered messages.
  public var sequence: UInt16 = 0
  /// Whether the message was sent unordered.
  public var isUnordered = false
  /// The payload protocol identifier in host byte order.
  public var payloadProtocol: UInt32 = 0
  /// The transmission sequence number of the message's first byte.
  public var tsn: UInt32 = 0
  /// The cumulative acknowledgement point, for unordered messages.
  public var cumulativeTSN: UInt32 = 0
  /// The number that the program assigned to the association (SCTP_CONTEXT).
  public var context: UInt32 = 0
  /// The association of the message.
  public var association = SCTPAssociationID.future

  /// Creates attributes in which every number is 0 and no association is set.
  @inlinable
  public init() {}

  /// Reads the attributes from ancillary data. Returns nil if the ancillary data does not contain them.
  @inlinable
  public init?(ancillary: RawSpan) {
    var found: SCTPReceiveInfo?
    AncillaryData.forEach(in: ancillary) { level, type, data in
      if level == CSK_IPPROTO_SCTP, type == CSK_SCTP_CMSG_RCVINFO { found = SCTPReceiveInfo(data) }
    }
    guard let found else { return nil }
    self = found
  }

  /// Reads the data of one ancillary message: 28 bytes.
  @inlinable
  init?(_ data: RawSpan) {
    guard data.byteCount >= 28 else { return nil }
    stream = data.integer(as: UInt16.self)
    sequence = data.integer(at: 2, as: UInt16.self)
    let flags = data.integer(at: 4, as: UInt16.self)
    isUnordered = Int32(flags) & CSK_SCTP_UNORDERED != 0
    payloadProtocol = UInt32(bigEndian: data.integer(at: 8, as: UInt32.self))
    tsn = data.integer(at: 12, as: UInt32.self)
    cumulativeTSN = data.integer(at: 16, as: UInt32.self)
    context = data.integer(at: 20, as: UInt32.self)
    association = SCTPAssociationID(rawValue: data.integer(at: 24, as: Int32.self))
  }
}

/// The attributes of the message that the next receive call returns, if that message has already arrived (RFC 6458,
/// 5.3.6).
///
/// The kernel provides these attributes if the option ``SocketKitCore/SocketOption/receiveNextInfo`` is on.
@frozen
public struct SCTPNextInfo: BitwiseCopyable, Hashable, Sendable {
  /// The stream on which the message was sent.
  public var stream: UInt16 = 0
  /// Whether the message was sent unordered.
  public var isUnordered = false
  /// Whether the message is a notification.
  public var isNotification = false
  /// The payload protocol identifier in host byte order.
  public var payloadProtocol: UInt32 = 0
  /// The number of bytes of the message that have arrived.
  public var length: UInt32 = 0
  /// The association of the message.
  public var association = SCTPAssociationID.future

  /// Creates attributes in which every number is 0 and no association is set.
  @inlinable
  public init() {}

  /// Reads the attributes from ancillary data. Returns nil if the ancillary data does not contain them.
  @inlinable
  public init?(ancillary: RawSpan) {
    var found: SCTPNextInfo?
    AncillaryData.forEach(in: ancillary) { level, type, data in
      if level == CSK_IPPROTO_SCTP, type == CSK_SCTP_CMSG_NXTINFO { found = SCTPNextInfo(data) }
    }
    guard let found else { return nil }
    self = found
  }

  /// Reads the data of one ancillary message: 16 bytes.
  @inlinable
  init?(_ data: RawSpan) {
    guard data.byteCount >= 16 else { return nil }
    stream = data.integer(as: UInt16.self)
    let flags = data.integer(at: 2, as: UInt16.self)
    isUnordered = Int32(flags) & CSK_SCTP_UNORDERED != 0
    isNotification = Int32(flags) & CSK_SCTP_NEXT_IS_NOTIFICATION != 0
    payloadProtocol = UInt32(bigEndian: data.integer(at: 4, as: UInt32.self))
    length = data.integer(at: 8, as: UInt32.self)
    association = SCTPAssociationID(rawValue: data.integer(at: 12, as: Int32.self))
  }
}
