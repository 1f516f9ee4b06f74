internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var severalBufferRules: [ConformanceRule] {
    rule(
      "buffers",
      "A send from several buffers sends one message, and a receive into several buffers fills them in order."
    ) {
      ends in
      // Use more than 8 buffers, some of them empty.
      let parts = [[1, 2, 3], [], numbered(7, 40), [4]] + (0..<9).map { numbered($0, 12) }
      let whole = parts.flatMap { $0 }
      let sent = try ends.near.calls.sendGathered(ends.near.socket, parts, ends.near.peer)
      try requireEqual(sent, whole.count, "the number of bytes sent from several buffers")
      try ends.far.requireNext(whole, "a message from several buffers")
      try ends.far.requireNothing("after a message from several buffers")

      try ends.near.send(whole)
      var rooms = [3, 0, 1, 20, 2, 5, 6, 7, 8, 9, 1000].map { [UInt8](repeating: 0xee, count: $0) }
      var info = try ends.far.receiveScattered(&rooms, whole.count)
      try requireSameBytes(Array(rooms.joined().prefix(whole.count)), whole, "a message in several buffers")
      try requireEqual(info.length, whole.count, "the length of a message in several buffers")
      try require(!info.isTruncated, "a message that fits into several buffers is reported as truncated")

      if S.capabilities.contains(.continuedMessages) { return }
      try ends.near.send(whole)
      rooms = [2, 5].map { [UInt8](repeating: 0xee, count: $0) }
      info = try ends.far.receiveScattered(&rooms, 7)
      try requireSameBytes(
        Array(rooms.joined()), Array(whole.prefix(7)), "the first bytes of a message in several buffers")
      try requireEqual(info.length, whole.count, "the length of a message longer than several buffers")
      try require(info.isTruncated, "a message longer than several buffers is not reported as truncated")
      try ends.roundTrip("after messages in several buffers")
    }
  }
}

extension MessageEnd where S: ~Copyable {
  fileprivate func receiveScattered(_ rooms: inout [[UInt8]], _ count: Int) throws -> MessageInfo {
    try awaitMessage()
    var info = MessageInfo()
    try requireEqual(
      try calls.receiveScattered(socket, &rooms, &info), .bytes(count), "a receive into \(rooms.count) buffers")
    return info
  }
}
