internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  /// The rules for transports, such as SCTP, that continue a long message instead of truncating it. These rules replace
  /// the truncation rules.
  var continuationRules: [ConformanceRule] {
    rule(
      "continued", needs: .continuedMessages,
      "A message longer than the buffer arrives completely in pieces, in order; only the last piece ends the record."
    ) { ends in
      let sent = numbered(1, 100)
      for room in [40, 1, sent.count - 1] {
        try ends.near.send(sent)
        try ends.near.send([7, 8, 9])
        var seen: [UInt8] = []
        while seen.count < sent.count {
          let piece = try ends.far.next(room)
          seen += piece.bytes
          try require(!piece.bytes.isEmpty, "an empty piece after \(seen.count) bytes")
          try require(!piece.isTruncated, "a piece is reported as truncated")
          try requireEqual(
            piece.flags.contains(.endOfRecord), seen.count == sent.count,
            "whether the record ends after \(seen.count) of \(sent.count) bytes")
        }
        try requireSameBytes(seen, sent, "the message in pieces of \(room) bytes")
        try ends.far.requireNext([7, 8, 9], "the next message")
      }
    }
      + rule(
        "continued.try", needs: .continuedMessages,
        "Receives that do not wait return pieces like waiting receives, and a complete message ends its record."
      ) { ends in
        try ends.near.send([1, 2, 3, 4, 5])
        try ends.far.awaitMessage()
        for (bytes, isLast) in [([1, 2], false), ([3, 4], false), ([5], true)] as [([UInt8], Bool)] {
          guard case .message(let piece) = try ends.far.tryReceive(2) else {
            throw ConformanceFailure("no piece was received although one is queued")
          }
          try requireEqual(piece.bytes, bytes, "a piece")
          try requireEqual(piece.flags.contains(.endOfRecord), isLast, "whether the record ends")
        }
        try ends.far.requireNothing("after the last piece")
        try ends.near.send([6])
        try require(try ends.far.next().flags.contains(.endOfRecord), "a complete message does not end its record")
      }
      + rule(
        "continued.empty-buffer", needs: .continuedMessages,
        "A receive into an empty buffer consumes no bytes and returns no end; without a message it would block."
      ) { ends in
        guard case .wouldBlock = try ends.far.tryReceive(0) else {
          throw ConformanceFailure("a receive did not report would-block although nothing was sent")
        }
        try ends.near.send([1, 2, 3])
        for _ in 0..<2 {
          let piece = try ends.far.next(0)
          try requireEqual(piece.bytes, [], "a piece in an empty buffer")
          try require(!piece.flags.contains(.endOfRecord), "the piece ends the record")
        }
        try ends.far.requireNext([1, 2, 3], "the message")
      }
      + rule(
        "continued.peek", needs: .continuedMessages,
        "A peek with a short buffer returns the first bytes without the end of the record, and consumes nothing."
      ) { ends in
        let sent = numbered(1, 5000)
        try ends.near.send(sent)
        try ends.far.awaitMessage()
        for room in [10, 100] {
          guard case .message(let piece) = try ends.far.tryReceive(room, .peek) else {
            throw ConformanceFailure("no message to peek at")
          }
          try requireSameBytes(piece.bytes, Array(sent.prefix(room)), "the first bytes")
          try require(!piece.flags.contains(.endOfRecord), "a peek at a part of the message ends the record")
        }
        try ends.far.requireNext(sent, "the message")
      }
      + rule(
        "continued.batch", needs: .continuedMessages,
        "In a batch, each piece of a long message uses one slot, in order and before messages that were sent later."
      ) { ends in
        let sent = [numbered(0, 20), numbered(1, 500), numbered(4, 8)]
        for bytes in sent { try ends.near.send(bytes) }
        var records: [[UInt8]] = [[]]
        var batch = MessageBatch(capacity: 5, messageCapacity: 32)
        while records.count <= sent.count {
          try ends.far.awaitMessage()
          for piece in try ends.far.receiveBatch(&batch) {
            records[records.count - 1] += piece.bytes
            if piece.flags.contains(.endOfRecord) { records.append([]) }
          }
        }
        try requireEqual(records.dropLast().map(\.count), sent.map(\.count), "the lengths of the messages")
        for (index, bytes) in sent.enumerated() { try requireSameBytes(records[index], bytes, "message \(index)") }
      }
  }
}
