internal import SocketKitCore

/// Identifies an unfinished message. At most one unfinished message exists for each value.
@usableFromInline
struct SCTPMessagePlace: Hashable {
  var association: SCTPAssociationID
  var stream: UInt16
  var isUnordered: Bool
  /// The number of an unordered message; 0 for ordered messages, because ordered messages arrive in order.
  ///
  /// If fragments are interleaved, other messages may arrive between the pieces of an unordered message.
  var sequence: UInt16
}

extension SCTPMessagePlace {
  init(_ part: SCTPMessage) {
    let info = part.info ?? SCTPReceiveInfo()
    self.init(
      association: info.association, stream: info.stream, isUnordered: info.isUnordered,
      sequence: info.isUnordered ? info.sequence : 0)
  }
}

/// The beginning of a message.
@usableFromInline
struct SCTPUnfinishedMessage {
  /// The first piece, whose information applies to the message.
  ///
  /// If fragments are interleaved, the kernel reports no payload protocol for later pieces.
  var first: SCTPMessage
  var bytes: [UInt8] = []
  /// Whether the message exceeds a limit. All pieces of such a message are dropped, including the last.
  var isDropped = false

  init(_ first: SCTPMessage) { self.first = first }

  /// Whether a piece belongs to this message.
  ///
  /// If not, the piece begins another message, and the rest of this message never arrives. All pieces of an ordered
  /// message have the same stream sequence number. If the attributes of a piece are not known, the piece counts as part
  /// of this message.
  func continues(with part: SCTPMessage) -> Bool {
    guard let begun = first.info, let info = part.info, !info.isUnordered else { return true }
    return begun.sequence == info.sequence
  }
}
