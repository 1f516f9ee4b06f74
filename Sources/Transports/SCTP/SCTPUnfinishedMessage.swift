internal import SocketKitCore

/// Identifies an unfinished message: there is at most one for each place.
@usableFromInline
struct SCTPMessagePlace: Hashable {
  var association: SCTPAssociationID
  var stream: UInt16
  var isUnordered: Bool
  /// The number of an unordered message: where fragments are interleaved, another message may come between its pieces.
  /// 0 for ordered messages, which cannot overtake each other.
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

/// The front of a message.
@usableFromInline
struct SCTPUnfinishedMessage {
  /// Its first piece, whose information is the message's: where fragments are interleaved, the kernel reports no
  /// payload protocol for later pieces.
  var first: SCTPMessage
  var bytes: [UInt8] = []
  /// The message exceeds a limit: its pieces are dropped, including the last.
  var isDropped = false

  init(_ first: SCTPMessage) { self.first = first }

  /// Whether a piece belongs to this message. Otherwise the piece begins another message, and the rest of this one
  /// never comes. The number within the stream decides, where there is one.
  func continues(with part: SCTPMessage) -> Bool {
    guard let begun = first.info, let info = part.info, !info.isUnordered else { return true }
    return begun.sequence == info.sequence
  }
}
