internal import SocketKitCore

/// Where a message is put together: at each place there is one at a time.
@usableFromInline
struct SCTPMessagePlace: Hashable {
  var association: SCTPAssociationID
  var stream: UInt16
  var isUnordered: Bool
  /// An unordered message's number: where fragments are interleaved, another message may come between its pieces. Ordered
  /// ones cannot overtake each other, and have 0 here.
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
  /// Its first piece, which has the infos: the kernel has no payload protocol for later ones where fragments are interleaved.
  var first: SCTPMessage
  var bytes: [UInt8] = []
  /// It is too long: its pieces are dropped, up to the last.
  var isDropped = false

  init(_ first: SCTPMessage) { self.first = first }

  /// Whether a piece belongs to it, or begins another message, because this one's rest does not come. The number within the
  /// stream tells, where there is one.
  func continues(with part: SCTPMessage) -> Bool {
    guard let begun = first.info, let info = part.info, !info.isUnordered else { return true }
    return begun.sequence == info.sequence
  }
}
