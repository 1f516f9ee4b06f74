internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var receiveRules: [ConformanceRule] {
    rule(
      "receive.would-block",
      "Without a message, an attempt to receive returns would-block immediately: no error and no end."
    ) { ends in
      let watch = Stopwatch()
      for _ in 0..<10 {
        try ends.near.requireNothing("although no message was sent")
        try watch.requirePrompt("an attempt")
      }
      try ends.roundTrip("after attempts that would block")
    }
      + rule(
        "receive.empty-buffer", unless: .continuedMessages,
        "A receive into an empty buffer consumes one message, discards its bytes and reports its length."
      ) { ends in
        try ends.far.requireNothing("although no message was sent")
        try ends.near.send([1, 2, 3])
        try ends.near.send([4])
        let dropped = try ends.far.next(0)
        try requireEqual(dropped.length, 3, "the length of the discarded message")
        try require(dropped.isTruncated, "the message is not reported as truncated")
        try ends.far.requireNext([4], "the next message")
      }
      + rule("receive.exact-count", "A receive writes only the message to the buffer and does not change the rest.") {
        ends in
        try ends.near.send([1, 2, 3])
        var buffer = [UInt8](repeating: 0xee, count: 16)
        var info = MessageInfo()
        try requireEqual(try calls.wait(ends.far.socket, &buffer, &info, .patient), .bytes(3), "the message")
        try requireEqual(buffer, [1, 2, 3] + [UInt8](repeating: 0xee, count: 13), "the buffer")
      }
      + rule(
        "receive.full-buffer",
        "A message that fills the buffer, or is longer, does not change memory before or after the buffer."
      ) {
        ends in
        // If the transport delivers long messages in parts, the rest of a message that is longer than the buffer
        // remains queued.
        for count in S.capabilities.contains(.continuedMessages) ? [4] : [4, 9] {
          try ends.near.send((1...UInt8(count)).map { $0 })
          try ends.far.awaitMessage()
          var buffer = [UInt8](repeating: 0xee, count: 24)
          var span = buffer.mutableSpan
          var bytes = span._mutatingExtracting(8..<12)
          var none = MutableRawSpan()
          var info = MessageInfo()
          let result = ends.far.socket.value.attemptReceive(into: &bytes, ancillary: &none, flags: [], &info)
          try require(result.raw >= 4, "a message of \(count) bytes was received as \(result.raw)")
          let around = [UInt8](repeating: 0xee, count: 8)
          try requireEqual(
            buffer, around + [1, 2, 3, 4] + around + [0xee, 0xee, 0xee, 0xee], "the buffer and the memory around it")
        }
      }
      + rule(
        "receive.flags", "A message that was sent without ancillary data arrives without flags and ancillary data."
      ) { ends in
        for bytes: [UInt8] in [[1], [UInt8](repeating: 5, count: 3000)] {
          try ends.near.send(bytes)
          let message = try ends.far.next()
          // If messages are records, each message has this flag.
          let flags = message.flags.subtracting(.endOfRecord)
          try require(
            flags.isEmpty, "flags of a message without ancillary data: 0x" + String(flags.rawValue, radix: 16))
          // Transports that distinguish empty packets from the end use ancillary data for this.
          if !traits.contains(.described), !(prefix == "packet" && S.capabilities.contains(.emptyMessages)) {
            try requireEqual(message.ancillaryLength, 0, "bytes of ancillary data")
          }
        }
      }
      + rule(
        "receive.unread", "Other operations on the sockets do not discard messages that have not been received yet."
      ) { ends in
        for index in 0..<8 { try ends.near.send(numbered(index)) }
        for index in 0..<20 {
          try ends.far.send(numbered(index))
          try ends.near.requireNext(numbered(index), "the message in the other direction")
        }
        try ends.near.requireNothing("after the last message")
        for index in 0..<8 { try ends.far.requireNext(numbered(index), "message \(index)") }
      }
  }

  var peekRules: [ConformanceRule] {
    rule("peek", without: .unpeekable, "Repeated peeks return the same message and leave it in the queue.") { ends in
      try ends.near.send([1, 2, 3])
      try ends.near.send([4])
      try ends.far.awaitMessage()
      for _ in 0..<3 {
        guard case .message(let message) = try ends.far.tryReceive(64, .peek) else {
          throw ConformanceFailure("no message to peek at")
        }
        try requireEqual(message.bytes, [1, 2, 3], "the message that a peek returned")
      }
      try ends.far.requireNext([1, 2, 3], "the message")
      try ends.far.requireNext([4], "the next message")
      guard case .wouldBlock = try ends.far.tryReceive(64, .peek) else {
        throw ConformanceFailure("a peek did not report would-block after the last message")
      }
    }
      + rule(
        "peek.length", unless: .continuedMessages, without: .unpeekable,
        "A peek with a short buffer reports the full length, and the message remains complete."
      ) { ends in
        let sent = numbered(1, 5000)
        try ends.near.send(sent)
        try ends.far.awaitMessage()
        for room in [0, 10] {
          guard case .message(let message) = try ends.far.tryReceive(room, .peek) else {
            throw ConformanceFailure("no message to peek at")
          }
          try requireEqual(message.length, sent.count, "the length that a peek with a buffer of \(room) bytes reports")
          try require(message.isTruncated, "the message is not reported as truncated")
        }
        try ends.far.requireNext(sent, "the message")
      }
  }
}
