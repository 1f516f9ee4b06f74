internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var sleepRules: [ConformanceRule] {
    rule("sleep.read", "A waiting read uses almost no processor time while no data arrives.") { ends in
      var byte: [UInt8] = [0]
      try requireSleep("a read") {
        try requireError(.timedOut, in: "a read") {
          try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.idle))
        }
      }
    }
      + rule("sleep.write", "A waiting write uses almost no processor time while the peer does not read.") { ends in
        _ = try ends.near.writeUntilError(until: .after(Times.settle))
        try requireSleep("a write") {
          try requireEqual(try ends.near.writeUntilError(until: .after(Times.idle)).0.code, .timedOut, "a write")
        }
      }
  }

  var shutdownRules: [ConformanceRule] {
    rule("shutdown.read", "After a socket shuts down reading, every kind of read returns the end immediately.") {
      ends in
      try ends.near.value.shutdown(.read)
      let watch = Stopwatch()
      var byte: [UInt8] = [0]
      let limit = Deadline.after(Times.limit)
      try requireEqual(try ends.near.value.read(into: byte.mutableSpan, until: limit), .endOfStream, "a read")
      try requireEqual(
        try ends.near.value.read(into: byte.mutableSpan, until: limit.spinning()), .endOfStream,
        "a spinning read")
      try requireError(.unexpectedEnd, in: "a read of a whole buffer") {
        try ends.near.value.readExactly(into: byte.mutableSpan, until: limit)
      }
      try watch.requirePrompt("three reads")
    }
      + rule("shutdown.read-only", needs: .halfClose, "After a socket shuts down reading, it can still write.") {
        ends in
        try ends.near.value.shutdown(.read)
        for byte: UInt8 in 1...3 {
          try ends.near.writeAll([byte])
          try requireEqual(try ends.far.readExactly(1), [byte], "the byte that was written")
        }
        try requireEqual(try ends.far.readOnce().outcome, nil, "the peer's read before any end of the stream")
      }
      + rule("shutdown.wakes-read", "Shutting down reading ends a read of the socket that waits on another thread.") {
        ends in
        let reader = RuleThread { try ends.near.readSome(until: .after(Times.limit)) }
        pause(Times.short)
        awaitSleep()
        let watch = Stopwatch()
        try ends.near.value.shutdown(.read)
        try requireEqual(try reader.join(), [], "bytes read")
        try watch.requirePrompt("the read")
      }
      + rule("shutdown.wakes-write", "Shutting down writing ends a write of the socket that waits on another thread.") {
        ends in
        // If the transport has no half-close, the whole connection ends, and the write may throw a different code.
        let hasHalf = S.capabilities.contains(.halfClose)
        let writer = RuleThread { try ends.near.writeUntilError(until: .after(Times.limit)).0.code }
        pause(Times.short + Times.short)
        awaitSleep()
        let watch = Stopwatch()
        try ends.near.value.shutdown(hasHalf ? .write : .both)
        let code = try writer.join()
        try require(
          code == .brokenPipe || !hasHalf && [.connectionReset, .notConnected].contains(code),
          "the write ended with \"\(code)\"")
        try watch.requirePrompt("the write")
      }
  }
}
