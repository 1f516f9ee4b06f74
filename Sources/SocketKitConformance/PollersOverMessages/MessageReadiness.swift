internal import SocketKitCore

/// This time is long enough to detect an unexpected event, but short because these rules run for every transport with
/// every poller.
private let quiet = Duration.milliseconds(10)

extension PollerOverMessageSuite where P: ~Copyable, S: ~Copyable {
  var readinessRules: [ConformanceRule] {
    rule("readable", "A socket is reported as readable while a message is queued, and not afterwards.") {
      poller, ends in
      try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
      try poller.requireQuiet(for: quiet, "before anything was sent")
      for index in 0..<3 { try ends.far.send(numbered(index)) }
      for index in 0..<3 {
        for _ in 0..<2 { try poller.requireEvent(tokenA, .readable, "with message \(index) to receive") }
        try ends.near.requireNext(numbered(index), "message \(index), which was reported")
      }
      try poller.requireQuiet(for: quiet, "after receiving everything")
      try poller.deregister(ends.near.socket.value)
    }
      + rule(
        "readable.continued", needs: .continuedMessages,
        "A socket is reported as readable until the rest of a message is received, and not afterwards."
      ) { poller, ends in
        try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
        try ends.far.send(numbered(1))
        for piece in [8, 40] {
          try poller.requireEvent(tokenA, .readable, "with a message to receive")
          try requireEqual(try ends.near.next(piece).bytes.count, piece, "the number of bytes of a piece")
        }
        try poller.requireEvent(tokenA, .readable, "with the rest of a message to receive")
        try requireEqual(try ends.near.next().bytes.count, numbered(1).count - 48, "the number of bytes of the rest")
        try poller.requireQuiet(for: quiet, "after receiving the rest")
      }
      + rule(
        "readable.truncated", unless: .continuedMessages,
        "A message that was received in part is discarded and is not reported again."
      ) { poller, ends in
        try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
        for room in [3, 0] {
          try ends.far.send(numbered(1))
          try poller.requireEvent(tokenA, .readable, "with a message to receive")
          _ = try ends.near.next(room)
        }
        try poller.requireQuiet(for: quiet, "after receiving a part of the message")
      }
      + rule("readable.empty", needs: .emptyMessages, "An empty message is reported like any other message.") {
        poller, ends in
        try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
        try ends.far.send([])
        try poller.requireEvent(tokenA, .readable, "with an empty message to receive")
        try ends.near.requireNext([], "the message")
      }
      + rule("readable.batch", "After a batch has received all messages, nothing is reported.") { poller, ends in
        try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
        for index in 0..<6 { try ends.far.send(numbered(index)) }
        var batch = MessageBatch(capacity: 4, messageCapacity: 256)
        var seen = 0
        while seen < 6 {
          try poller.requireEvent(tokenA, .readable, "with \(6 - seen) messages to receive")
          seen += try ends.near.receiveBatch(&batch).count
        }
        try poller.requireQuiet(for: quiet, "after receiving everything")
      }
      + rule("writable", "A new socket is reported as writable if the interest includes writability.") { poller, ends in
        try poller.register(ends.near.socket.value, for: .writable, token: tokenA)
        try poller.requireEvent(tokenA, .writable, "on a new socket")
        try poller.modify(ends.near.socket.value, for: .readable, token: tokenB)
        try ends.far.send([1])
        let readiness = try poller.requireEvent(tokenB, .readable, "for a message")
        try require(!readiness.contains(.writable), "writable was reported although the interest does not include it")
      }
      + rule(
        "writable.full", given: [.lossless, .connected],
        "A full socket is reported as writable only after the peer has received messages."
      ) {
        poller, ends in
        try poller.register(ends.near.socket.value, for: .writable, token: tokenA)
        let count = try ends.near.fill()
        // Smaller messages than the queued messages may still fit, so send a message of the same size.
        let deadline = Deadline.after(Times.limit)
        while try !poller.events(within: quiet).isEmpty {
          try requireEqual(try ends.near.trySend(numbered(count, 1000)), nil, "a send without buffer space")
          if deadline.hasPassed { throw ConformanceFailure("writable is reported although a send would block") }
        }
        try ends.far.drain(count)
        try poller.requireEvent(tokenA, .writable, "when there is buffer space again")
        try ends.roundTrip("after there was buffer space again")
      }
      + rule("deregister", "A deregistered socket is not reported any more, before or after it closes.") {
        poller, ends in
        try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
        try ends.far.send([1])
        try poller.requireEvent(tokenA, .readable, "for the message")
        try poller.deregister(ends.near.socket.value)
        try ends.far.send([2])
        ends.near.socket.close()
        try poller.requireQuiet(for: quiet, "after deregistering")
      }
  }

  var modeRules: [ConformanceRule] {
    rule(
      "level", "With level triggering, all messages are received even if each event is followed by a single receive."
    ) {
      poller, ends in
      // These messages arrive before the first wait. Later waits must still report them, although nothing has changed.
      for index in 0..<4 { try ends.far.send(numbered(index)) }
      try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
      try receiveAll(&poller, ends, again: nil, once: true, from: 4)
    }
      + rule(
        "edge",
        "With edge triggering, all messages are received if each event is followed by receives until one would block."
      ) {
        poller, ends in
        guard poller.capabilities.contains(.edge) else { return }
        try poller.register(ends.near.socket.value, for: .readable, trigger: .edge, token: tokenA)
        try receiveAll(&poller, ends, again: nil, once: false)
      }
      + rule(
        "one-shot", "With one-shot events, all messages are received if every event is followed by a call of `modify`."
      ) {
        poller, ends in
        guard poller.capabilities.contains(.oneShot) else { return }
        try poller.register(ends.near.socket.value, for: .readable, trigger: .oneShot, token: tokenA)
        try receiveAll(&poller, ends, again: .oneShot, once: true)
      }
  }

  private func receiveAll(
    _ poller: inout P, _ ends: MessageEnds<S>, again: Trigger?, once: Bool, from first: Int = 0
  ) throws {
    let total = 120
    let sender = RuleThread {
      for index in first..<total {
        try ends.far.send(numbered(index))
        if index % 10 == 0 { pause(.microseconds(200)) }
      }
    }
    var seen = 0
    while seen < total {
      let events = try poller.events(within: Times.patience)
      try require(!events.isEmpty, "no event after \(seen) of \(total) messages")
      for _ in events {
        while case .message(let message) = try ends.near.tryReceive(256) {
          try requireSameBytes(message.bytes, numbered(seen), "message \(seen)")
          seen += 1
          if once { break }
        }
        if let again { try poller.modify(ends.near.socket.value, for: .readable, trigger: again, token: tokenA) }
      }
    }
    try sender.join()
  }
}
