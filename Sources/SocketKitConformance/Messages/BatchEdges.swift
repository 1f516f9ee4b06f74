internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var batchEdgeRules: [ConformanceRule] {
    rule(
      "batch.partial", given: .lossless,
      "If a batch is sent in part, the next send continues at the first unsent message; each message arrives once."
    ) { ends in
      // Fill the buffer first, so that the batch stops before its last message. The messages of the batch are as large
      // as those that fill the buffer, because smaller messages may still fit.
      let filled = try ends.near.fill(5000)
      var batch = MessageBatch(capacity: 64, messageCapacity: 5000)
      for index in 0..<64 { try batch.append(numbered(filled + index, 5000).span, to: ends.near.peer) }
      var seen = 0
      let deadline = Deadline.after(Times.limit)
      while batch.sent < 64 {
        let before = batch.sent
        switch try batch.send(on: ends.near.socket.value) {
        case let count?:
          try require(count >= 1, "a batch reported \(count) messages as sent")
          try requireEqual(batch.sent, before + count, "the number of messages counted as sent")
        case nil:
          try requireEqual(batch.sent, before, "the number of messages counted as sent although the send would block")
          try ends.far.drain(1, from: seen, 5000)
          seen += 1
        }
        try require(!deadline.hasPassed, "only \(batch.sent) of 64 messages were sent in time")
      }
      try ends.far.drain(filled + 64 - seen, from: seen, 5000)
      try ends.far.requireNothing("after the last message")
    }
      + rule(
        "batch.error",
        "A batch stops at a message that cannot be sent. After this message is skipped, the rest is sent."
      ) { ends in
        let large = try tooLarge(ends)
        var batch = MessageBatch(capacity: 4, messageCapacity: large.count)
        try batch.append([1].span, to: ends.near.peer)
        try batch.append(large.span, to: ends.near.peer)
        try batch.append([3].span, to: ends.near.peer)
        try requireEqual(
          try batch.send(on: ends.near.socket.value), 1,
          "the number of messages sent before the message that is too large")
        try requireError(.messageTooLarge, in: "a send of the message that is too large") {
          try batch.send(on: ends.near.socket.value)
        }
        try requireEqual(batch.sent, 1, "the number of messages counted as sent")
        batch.sent += 1
        try requireEqual(
          try batch.send(on: ends.near.socket.value), 1,
          "the number of messages sent after the message that is too large")
        try ends.far.requireNext([1], "the first message")
        try ends.far.requireNext([3], "the last message")
      }
      + rule("batch.rewound", "A batch that is rewound can be sent again.") { ends in
        var batch = MessageBatch(capacity: 4, messageCapacity: 100)
        for index in 0..<3 { try batch.append(numbered(index).span, to: ends.near.peer) }
        for _ in 0..<3 {
          try ends.near.sendAll(&batch)
          batch.sent = 0
          for index in 0..<3 { try ends.far.requireNext(numbered(index), "message \(index)") }
        }
      }
      + rule(
        "batch.empty-message", needs: .emptyMessages, "Empty messages of a batch arrive as empty messages, in order."
      ) { ends in
        var batch = MessageBatch(capacity: 4, messageCapacity: 100)
        let sent: [[UInt8]] = [[], [1], [], [2, 3]]
        for bytes in sent { try batch.append(bytes.span, to: ends.near.peer) }
        try ends.near.sendAll(&batch)
        let seen = try ends.far.receiveBatched(4, capacity: 4, room: 100)
        try requireEqual(seen.map(\.bytes), sent, "the messages")
        try requireEqual(seen.map(\.length), [0, 1, 0, 2], "the lengths of the messages")
      }
      + rule(
        "batch.no-room", unless: .continuedMessages,
        "A batch without buffer space for bytes receives messages and reports their lengths."
      ) { ends in
        for index in 0..<3 { try ends.near.send(numbered(index)) }
        let seen = try ends.far.receiveBatched(3, capacity: 3, room: 0)
        try requireEqual(seen.map(\.length), (0..<3).map { numbered($0).count }, "the lengths")
        try require(
          seen.allSatisfy { $0.bytes.isEmpty && $0.isTruncated }, "not all messages are reported as truncated")
        try ends.far.requireNothing("after the last message")
      }
  }
}
