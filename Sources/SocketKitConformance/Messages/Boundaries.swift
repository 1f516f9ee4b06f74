internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var boundaryRules: [ConformanceRule] {
    rule("boundaries", "What is sent as one message arrives as one: sizes from 1 byte to 20000, in order, both ways.") {
      ends in
      var random = SeededRandom(seed: 20)
      let sent = [1, 2, 700, 1, 1, 4096, 3, 20_000, 5, 1].map { random.bytes($0) }
      for (from, to) in [(ends.near, ends.far), (ends.far, ends.near)] {
        for bytes in sent { try from.send(bytes) }
        for (index, bytes) in sent.enumerated() { try to.requireNext(bytes, "message \(index)") }
        try to.requireNothing("after the last one")
      }
    }
      + rule("boundaries.large", "Messages of 32768 and 60000 bytes arrive whole.") { ends in
        var random = SeededRandom(seed: 21)
        for size in [32_768, 60_000] {
          let sent = random.bytes(size)
          try ends.near.send(sent)
          try ends.far.requireNext(sent, "\(size) bytes")
        }
      }
      + rule("boundaries.ping-pong", "Three hundred messages of random sizes go there and back, each as it was sent.") {
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
        "empty", needs: .emptyMessages, "An empty message arrives as 0 bytes, in its place among others, and is no end."
      ) { ends in
        for bytes: [UInt8] in [[], [1, 2], [], [], [3]] { try ends.near.send(bytes) }
        for bytes: [UInt8] in [[], [1, 2], [], [], [3]] {
          try ends.far.requireNext(bytes, "a message of \(bytes.count)")
        }
        try ends.far.requireNothing("after the last one")
        try requireEqual(try ends.near.trySend([]), 0, "sending an empty message")
        try ends.far.awaitMessage()
        guard case .message(let message) = try ends.far.tryReceive() else {
          throw ConformanceFailure("a try to receive an empty message gave none")
        }
        try requireEqual(message.length, 0, "its length")
        try ends.roundTrip("after empty messages")
      }
      + rule(
        "truncation", unless: .continuedMessages,
        "A message longer than the buffer says so with its full length, and costs the next one nothing."
      ) {
        ends in
        let sent = Array(0..<100 as Range<UInt8>)
        for room in [40, 1, 99] {
          try ends.near.send(sent)
          try ends.near.send([7, 8, 9])
          let cut = try ends.far.next(room)
          try requireSameBytes(cut.bytes, Array(sent.prefix(room)), "the front of the message")
          try requireEqual(cut.length, 100, "the full length of a message cut to \(room)")
          try require(cut.isTruncated, "100 bytes in a buffer of \(room) are not reported as truncated")
          try ends.far.requireNext([7, 8, 9], "the next message")
        }
      }
      + rule("truncation.exact", "A message that just fits its buffer is not truncated.") { ends in
        for size in [1, 64, 4096] {
          try ends.near.send(numbered(3, size))
          let message = try ends.far.next(numbered(3, size).count)
          try require(!message.isTruncated, "reported as truncated")
          try requireEqual(message.length, message.bytes.count, "the length")
          try requireSameBytes(message.bytes, numbered(3, size), "the message")
        }
        try ends.far.requireNothing("after the last one")
      }
      + rule("truncation.try", unless: .continuedMessages, "A try reports truncation as a waiting call does.") { ends in
        try ends.near.send([1, 2, 3, 4, 5])
        try ends.far.awaitMessage()
        guard case .message(let message) = try ends.far.tryReceive(2) else {
          throw ConformanceFailure("no message although one waits")
        }
        try requireEqual(message.bytes, [1, 2], "the front of the message")
        try requireEqual(message.length, 5, "the full length")
        try require(message.isTruncated, "not reported as truncated")
      }
  }
}
