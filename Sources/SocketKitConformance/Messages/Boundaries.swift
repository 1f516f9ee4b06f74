internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var boundaryRules: [ConformanceRule] {
    rule("boundaries", "Each message of 1 to 20,000 bytes arrives as one message, in order and in both directions.") {
      ends in
      var random = SeededRandom(seed: 20)
      let sent = [1, 2, 700, 1, 1, 4096, 3, 20_000, 5, 1].map { random.bytes($0) }
      for (from, to) in [(ends.near, ends.far), (ends.far, ends.near)] {
        for bytes in sent { try from.send(bytes) }
        for (index, bytes) in sent.enumerated() { try to.requireNext(bytes, "message \(index)") }
        try to.requireNothing("after the last message")
      }
    }
      + rule("boundaries.large", "Messages of 32,768 and 60,000 bytes arrive complete.") { ends in
        var random = SeededRandom(seed: 21)
        for size in [32_768, 60_000] {
          let sent = random.bytes(size)
          try ends.near.send(sent)
          try ends.far.requireNext(sent, "a message of \(size) bytes")
        }
      }
      + rule("boundaries.ping-pong", "300 messages of random sizes are echoed unchanged.") {
        ends in
        var random = SeededRandom(seed: 22)
        for _ in 0..<300 {
          let sent = random.bytes(Int.random(in: 1...3000, using: &random))
          try ends.near.send(sent)
          let there = try ends.far.next()
          try ends.far.send(there.bytes)
          try ends.near.requireNext(sent, "the echo")
        }
      }
      + rule(
        "empty", needs: .emptyMessages, "An empty message arrives in order as a message of 0 bytes, and not as an end."
      ) { ends in
        for bytes: [UInt8] in [[], [1, 2], [], [], [3]] { try ends.near.send(bytes) }
        for bytes: [UInt8] in [[], [1, 2], [], [], [3]] {
          try ends.far.requireNext(bytes, "a message of \(bytes.count) bytes")
        }
        try ends.far.requireNothing("after the last message")
        try requireEqual(try ends.near.trySend([]), 0, "sending an empty message")
        try ends.far.awaitMessage()
        guard case .message(let message) = try ends.far.tryReceive() else {
          throw ConformanceFailure("an attempt to receive an empty message returned no message")
        }
        try requireEqual(message.length, 0, "the length of the message")
        try ends.roundTrip("after empty messages")
      }
      + rule(
        "truncation", unless: .continuedMessages,
        "A message longer than the buffer is reported as truncated with its full length; the next one is complete."
      ) {
        ends in
        let sent = Array(0..<100 as Range<UInt8>)
        for room in [40, 1, 99] {
          try ends.near.send(sent)
          try ends.near.send([7, 8, 9])
          let cut = try ends.far.next(room)
          try requireSameBytes(cut.bytes, Array(sent.prefix(room)), "the first bytes of the message")
          try requireEqual(cut.length, 100, "the full length of a message truncated to \(room) bytes")
          try require(cut.isTruncated, "a message of 100 bytes in a buffer of \(room) is not reported as truncated")
          try ends.far.requireNext([7, 8, 9], "the next message")
        }
      }
      + rule("truncation.exact", "A message that exactly fills the buffer is not reported as truncated.") { ends in
        for size in [1, 64, 4096] {
          try ends.near.send(numbered(3, size))
          let message = try ends.far.next(numbered(3, size).count)
          try require(!message.isTruncated, "the message is reported as truncated")
          try requireEqual(message.length, message.bytes.count, "the length")
          try requireSameBytes(message.bytes, numbered(3, size), "the message")
        }
        try ends.far.requireNothing("after the last message")
      }
      + rule(
        "truncation.try", unless: .continuedMessages,
        "A receive that does not wait reports truncation like a waiting receive."
      ) { ends in
        try ends.near.send([1, 2, 3, 4, 5])
        try ends.far.awaitMessage()
        guard case .message(let message) = try ends.far.tryReceive(2) else {
          throw ConformanceFailure("no message was received although one is queued")
        }
        try requireEqual(message.bytes, [1, 2], "the first bytes of the message")
        try requireEqual(message.length, 5, "the full length")
        try require(message.isTruncated, "the message is not reported as truncated")
      }
  }
}
