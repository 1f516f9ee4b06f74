internal import CSocketKit
internal import SocketKitCore
internal import SocketKitIP

/// A copy of the first bytes of a notification, with space for the fixed part of every type.
struct NotificationHead {
  static var room: Int { 160 }
  private var storage = InlineArray<160, UInt8>(repeating: 0)
  /// The number of bytes copied.
  private(set) var count = 0
  /// The number of bytes in the program's buffer.
  private let available: Int

  /// Copies the first piece of a notification from the program's buffer.
  init(_ piece: Span<UInt8>) {
    available = piece.count
    count = min(piece.count, Self.room)
    for index in 0..<count { storage[index] = piece[index] }
  }

  /// Passes the free space after the copied bytes to the body, and increases the count by the number of bytes that the
  /// body returns.
  mutating func addMore(_ body: (inout MutableSpan<UInt8>) -> IOResult) -> IOResult {
    let used = count
    var whole = storage.mutableSpan
    var room = whole._mutatingExtracting(droppingFirst: used)
    let result = body(&room)
    if result.raw > 0 { count += min(result.raw, Self.room - used) }
    return result
  }

  var notification: SCTPNotification {
    guard count >= 8, let fixed = fixedLength, length >= fixed, count >= fixed else { return .unknown(type: type) }
    return parsed ?? .unknown(type: type)
  }

  private func half(_ offset: Int) -> UInt16 {
    storage.span.integerBytes.integer(at: offset, as: UInt16.self)
  }
  private func word(_ offset: Int) -> UInt32 {
    storage.span.integerBytes.integer(at: offset, as: UInt32.self)
  }
  private func association(_ offset: Int) -> SCTPAssociationID {
    SCTPAssociationID(rawValue: Int32(bitPattern: word(offset)))
  }
  private func cause(_ bits: UInt16) -> SCTPErrorCause { SCTPErrorCause(rawValue: UInt16(bigEndian: bits)) }

  // Each value is zero if its bytes were not copied.
  private var type: UInt16 { count < 2 ? 0 : half(0) }
  private var flags: UInt16 { half(2) }
  private var length: Int { Int(word(4)) }
  private var result: SCTPReconfiguration { flags & 0x4 != 0 ? .denied : flags & 0x8 != 0 ? .failed : .done }

  /// The bytes after the fixed part.
  private func rest(_ fixed: Int) -> SCTPNotificationBytes {
    let end = min(available, length)
    return SCTPNotificationBytes(
      offset: UInt32(clamping: min(fixed, available)), count: UInt32(clamping: max(0, end - fixed)),
      missing: length - max(fixed, end))
  }

  /// The length of the part that every notification of the type has; nil for an unknown type.
  private var fixedLength: Int? {
    switch Int32(type) {
    case CSK_SCTP_ASSOC_CHANGE: 20
    case CSK_SCTP_PEER_ADDR_CHANGE: 148
    case CSK_SCTP_SEND_FAILED: 48
    case CSK_SCTP_REMOTE_ERROR: 16
    case CSK_SCTP_SHUTDOWN_EVENT, CSK_SCTP_SENDER_DRY_EVENT, CSK_SCTP_STREAM_RESET_EVENT: 12
    case CSK_SCTP_PARTIAL_DELIVERY_EVENT: 24
    case CSK_SCTP_ADAPTATION_INDICATION, CSK_SCTP_STREAM_CHANGE_EVENT: 16
    case CSK_SCTP_AUTHENTICATION_EVENT, CSK_SCTP_ASSOC_RESET_EVENT: 20
    case CSK_SCTP_SEND_FAILED_EVENT: 32
    default: nil
    }
  }

  private var parsed: SCTPNotification? {
    switch Int32(type) {
    case CSK_SCTP_ASSOC_CHANGE: associationChange
    case CSK_SCTP_PEER_ADDR_CHANGE: peerAddressChange
    case CSK_SCTP_REMOTE_ERROR:
      .remoteError(
        SCTPRemoteError(
          cause: cause(half(8)), association: association(12), data: rest(16)))
    case CSK_SCTP_SEND_FAILED: oldSendFailure
    case CSK_SCTP_SEND_FAILED_EVENT: sendFailure
    case CSK_SCTP_SHUTDOWN_EVENT: .shutdown(association(8))
    case CSK_SCTP_SENDER_DRY_EVENT: .senderDry(association(8))
    case CSK_SCTP_ADAPTATION_INDICATION: .adaptation(word(8), association(12))
    case CSK_SCTP_PARTIAL_DELIVERY_EVENT:
      .partialDelivery(
        SCTPPartialDelivery(
          isAborted: word(8) == 0, association: association(12), stream: UInt16(truncatingIfNeeded: word(16)),
          isUnordered: flags & UInt16(CSK_SCTP_UNORDERED) != 0, sequence: word(20)))
    case CSK_SCTP_AUTHENTICATION_EVENT:
      SCTPAuthentication.Event(rawValue: word(12)).map {
        .authentication(
          SCTPAuthentication(event: $0, key: half(8), alternativeKey: half(10), association: association(16)))
      }
    case CSK_SCTP_STREAM_RESET_EVENT:
      .streamReset(
        SCTPStreamReset(
          isIncoming: flags & 0x1 != 0, isOutgoing: flags & 0x2 != 0, result: result, association: association(8),
          streams: rest(12)))
    case CSK_SCTP_ASSOC_RESET_EVENT:
      .associationReset(
        SCTPAssociationReset(
          result: result, association: association(8), localTSN: word(12), remoteTSN: word(16)))
    case CSK_SCTP_STREAM_CHANGE_EVENT:
      .streamChange(
        SCTPStreamChange(
          result: result, association: association(8), incomingStreams: half(12), outgoingStreams: half(14)))
    default: nil
    }
  }

  private var associationChange: SCTPNotification? {
    guard let state = SCTPAssociationChange.State(rawValue: half(8)) else { return nil }
    return .associationChange(
      SCTPAssociationChange(
        state: state, cause: cause(half(10)), outgoingStreams: half(12),
        incomingStreams: half(14), association: association(16), causes: rest(20)))
  }

  private var peerAddressChange: SCTPNotification? {
    guard let state = SCTPPeerAddressChange.State(rawValue: word(136)) else { return nil }
    return .peerAddressChange(
      SCTPPeerAddressChange(
        address: IPSocketAddress(sockaddr: storage.span.integerBytes.extracting(8..<136)), state: state,
        error: word(140),
        association: association(144)))
  }

  private var sendFailure: SCTPNotification {
    var info = SCTPSendInfo(stream: half(12), payloadProtocol: UInt32(bigEndian: word(16)))
    info.context = word(20)
    info.association = association(28)
    return .sendFailed(sendFailure(info, chunkFlags: Int32(half(14)), payload: rest(32)))
  }

  private var oldSendFailure: SCTPNotification {
    var info = SCTPSendInfo(stream: half(12), payloadProtocol: UInt32(bigEndian: word(20)))
    info.context = word(24)
    info.association = association(44)
    return .sendFailed(sendFailure(info, chunkFlags: Int32(half(16)), payload: rest(48)))
  }

  /// Creates a send failure from the flags of a chunk.
  ///
  /// The kernel writes the flags of the chunk instead of the flags of the message. The chunk's flags show the position
  /// of the fragment (net/sctp/ulpevent.c).
  private func sendFailure(
    _ info: SCTPSendInfo, chunkFlags: Int32, payload: SCTPNotificationBytes
  ) -> SCTPSendFailure {
    var info = info
    info.isUnordered = chunkFlags & CSK_SCTP_DATA_UNORDERED != 0
    return SCTPSendFailure(
      wasSent: flags & 1 != 0, cause: cause(UInt16(truncatingIfNeeded: word(8))), rawError: word(8), info: info,
      isFirstFragment: chunkFlags & CSK_SCTP_DATA_FIRST_FRAGMENT != 0,
      isLastFragment: chunkFlags & CSK_SCTP_DATA_LAST_FRAGMENT != 0, payload: payload)
  }
}
