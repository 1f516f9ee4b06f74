internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var sleepRules: [ConformanceRule] {
    rule("sleep.receive", "A waiting receive uses almost no processor time while no message arrives.") { ends in
      try requireSleep("a receive") {
        try requireError(.timedOut, in: "a receive") {
          try ends.near.wait(64, WaitTerms(deadline: .after(Times.idle)))
        }
      }
      var batch = MessageBatch(capacity: 4, messageCapacity: 64)
      try requireSleep("a receive of a batch") {
        try requireError(.timedOut, in: "a receive of a batch") {
          try batch.receive(from: ends.near.socket.value, until: .after(Times.idle))
        }
      }
    }
      + rule(
        "sleep.send", given: .lossless, "A waiting send uses almost no processor time while there is no buffer space."
      ) {
        ends in
        let count = try ends.near.fill()
        try requireSleep("a send") {
          try requireError(.timedOut, in: "a send") {
            try ends.near.send(numbered(count, 1000), WaitTerms(deadline: .after(Times.idle)))
          }
        }
        var batch = MessageBatch(capacity: 2, messageCapacity: 1000)
        for _ in 0..<2 { try batch.append(numbered(count, 1000).span, to: ends.near.peer) }
        try requireSleep("a send of a batch") {
          try requireError(.timedOut, in: "a send of a batch") {
            try batch.send(on: ends.near.socket.value, until: .after(Times.idle))
          }
        }
        // SCTP periodically sends a message to probe the peer's buffer (RFC 9260, 6.1 A). When the kernel has
        // transmitted it, the send buffer has space for one more message.
        try require(batch.sent < 2, "the whole batch was sent without buffer space")
      }
  }

  var shutdownRules: [ConformanceRule] {
    rule("shutdown.receive", "After a socket shuts down receiving, every kind of receive ends immediately.") {
      ends in
      try ends.near.socket.value.shutdown(.read)
      let watch = Stopwatch()
      for strategy in WaitTerms.Strategy.allCases {
        try requireOwnEnd(ends.near, WaitTerms(deadline: .after(Times.limit), strategy: strategy))
      }
      try requireSleeplessBatch(ends.near)
      try watch.requirePrompt("four receives")
    }
      + rule("shutdown.wakes-receive", "Shutting down receiving ends receives that wait on other threads.") {
        ends in
        for direction in [ShutdownDirection.read, .both] {
          let ends = try direction == .read ? ends : makeEnds()
          let one = RuleThread { try requireOwnEnd(ends.near, WaitTerms(deadline: .after(Times.limit))) }
          let many = RuleThread { try requireSleeplessBatch(ends.near) }
          pause(Times.short)
          awaitSleep()
          let watch = Stopwatch()
          try ends.near.socket.value.shutdown(direction)
          try one.join()
          try many.join()
          try watch.requirePrompt("the receives")
          if direction == .both { try ends.use { _ in } }
        }
      }
      + rule("shutdown.wakes-send", given: .lossless, "Shutting down sending ends a send that waits for buffer space.")
    {
      ends in
      let count = try ends.near.fill()
      // If the transport has no half-close, the whole connection ends, and the send may throw a different code.
      let hasHalf = prefix == "datagram" || S.capabilities.contains(.halfClose)
      let sender = RuleThread {
        let allowed: [SocketError.Code] = hasHalf ? [.brokenPipe] : [.brokenPipe, .connectionReset, .notConnected]
        do {
          try ends.near.send(numbered(count, 1000), WaitTerms(deadline: .after(Times.limit)))
          throw ConformanceFailure("the send succeeded although the peer does not receive")
        } catch let error as SocketError {
          try require(allowed.contains(error.code), "the send ended with \"\(error)\"")
        }
      }
      pause(Times.short + Times.short)
      awaitSleep()
      let watch = Stopwatch()
      try ends.near.socket.value.shutdown(hasHalf ? .write : .both)
      try sender.join()
      try watch.requirePrompt("the send")
    }
  }

  /// Requires that a receive call returns because of the socket's own shutdown. On a packet socket, the call returns
  /// the end; on a datagram socket, the call throws `.shutDown`.
  private func requireOwnEnd(_ end: MessageEnd<S>, _ terms: WaitTerms) throws {
    if prefix == "packet" {
      guard case .end = try end.wait(64, terms) else {
        throw ConformanceFailure("a message was received after the socket's own shutdown")
      }
    } else {
      try requireError(.shutDown, in: "a receive with \(terms.strategy)") { try end.wait(64, terms) }
    }
  }

  private func requireSleeplessBatch(_ end: MessageEnd<S>) throws {
    var batch = MessageBatch(capacity: 4, messageCapacity: 64)
    let count = try batch.receive(from: end.socket.value, until: .after(Times.limit))
    try requireEqual(count, 0, "the number of messages in a batch after the socket's own shutdown")
  }
}
