internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var sendRules: [ConformanceRule] {
    rule(
      "send.would-block", given: .lossless,
      "If messages are sent until a send would block, exactly the accepted messages arrive, complete and in order."
    ) { ends in
      for size in traits.contains(.fewWaiting) ? [1000] : [1000, 9] {
        let count = try ends.near.fill(size)
        try require(count > 0, "new sockets accepted no message")
        try ends.far.drain(count, size)
        try ends.far.requireNothing("after the last message")
        try ends.roundTrip("after a send that would block")
      }
    }
      + rule(
        "send.pressure", given: .lossless,
        "Messages of many sizes to a slow receiver all arrive once, complete and in order."
      ) { ends in
        // The sizes vary, so that messages reach the limit on queued data at different offsets.
        let sizes = (0..<24).map { 600 + $0 * 7919 % 60_000 }
        let receiver = RuleThread {
          for (index, size) in sizes.enumerated() {
            if index.isMultiple(of: 3) { pause(.milliseconds(2)) }
            try ends.far.requireNext(numbered(index, size), "message \(index) of \(size) bytes")
          }
        }
        do {
          for (index, size) in sizes.enumerated() { try ends.near.send(numbered(index, size)) }
        } catch {
          // If the receiver has failed, its error is the cause of the send's error.
          try receiver.join()
          throw error
        }
        try receiver.join()
        try ends.far.requireNothing("after the last message")
        try ends.roundTrip("after many messages")
      }
      + rule(
        "send.too-large",
        "Sending a message that is too large fails with `.messageTooLarge`, and no part of the message is sent."
      ) {
        ends in
        let sent = try tooLarge(ends)
        try requireError(.messageTooLarge, in: "sending \(sent.count) bytes") { try ends.near.send(sent) }
        pause(.milliseconds(1))
        try ends.far.requireNothing("after a message that was too large")
        try ends.roundTrip("after a message that was too large")
      }
      + rule("send.closed-peer", given: .refusals, "Sending to a peer that has closed fails and raises no SIGPIPE.") {
        ends in
        ends.far.socket.close()
        try SignalWatch.countingBrokenPipes { count in
          for _ in 0..<2 {
            try requireError(
              .connectionRefused, .brokenPipe, .connectionReset, .notConnected, .noSuchPath,
              in: "sending to a closed peer"
            ) {
              let deadline = Deadline.after(Times.limit)
              while !deadline.hasPassed {
                try ends.near.send([1, 2])
                pause(.microseconds(100))
              }
            }
          }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
      }
      + rule("send.unheard", "Sending to a peer that has closed raises no SIGPIPE and does not hang.") {
        ends in
        ends.far.socket.close()
        try SignalWatch.countingBrokenPipes { count in
          for _ in 0..<5 { _ = try? ends.near.trySend([1]) }
          var batch = MessageBatch(capacity: 2, messageCapacity: 8)
          for _ in 0..<2 { try batch.append([1, 2].span, to: ends.near.peer) }
          for _ in 0..<3 { _ = try? batch.send(on: ends.near.socket.value) }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
      }
  }

  /// Returns a message that is too large to send. To find the limit, the function sends smaller messages and receives
  /// them.
  func tooLarge(_ ends: MessageEnds<S>) throws -> [UInt8] {
    for size in [70_000, 300_000, 1 << 20, 1 << 24] {
      let bytes = [UInt8](repeating: 1, count: size)
      do {
        guard try ends.near.trySend(bytes) != nil else {
          throw ConformanceFailure("sending \(size) bytes would block on new sockets")
        }
      } catch is SocketError {
        return bytes
      }
      try requireEqual(try ends.far.next(size).length, size, "the length of a message")
    }
    throw ConformanceUnavailable("messages of 2^24 bytes can be sent")
  }
}
