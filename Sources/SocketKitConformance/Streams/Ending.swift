internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var endingRules: [ConformanceRule] {
    rule(
      "read.end-of-stream",
      "Reads return all bytes of a peer that has closed, and after the last byte every read returns the end."
    ) {
      ends in
      var random = SeededRandom(seed: 6)
      let sent = random.bytes(10_000)
      try ends.far.writeAll(sent)
      ends.far.close()
      try requireSameBytes(try ends.near.readAll(upTo: sent.count, until: .after(Times.limit)), sent, "the bytes read")
      for _ in 0..<3 {
        var buffer = [UInt8](repeating: 0, count: 8)
        let waiting = try ends.near.value.read(into: buffer.mutableSpan, until: .after(Times.limit))
        try requireEqual(waiting, .endOfStream, "a waiting read at the end of the stream")
        try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "an attempt to read at the end of the stream")
      }
    }
      + rule(
        "read.scatter-end",
        "A scattered read would block if no data is available, and returns the end at the end of the stream."
      ) {
        ends in
        var first: [UInt8] = [0]
        var second = [UInt8](repeating: 0, count: 64)
        let nothing = try ends.near.value.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan))
        try requireEqual(nothing, nil, "a scattered read without data")
        try ends.far.writeAll([1, 2, 3])
        ends.far.close()
        var seen: [UInt8] = []
        let deadline = Deadline.after(Times.limit)
        while seen.count < 3 {
          switch try ends.near.value.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan)) {
          case .bytes(let count): seen += (first + second).prefix(count)
          case .endOfStream: throw ConformanceFailure("the end of the stream was reported after \(seen)")
          case nil: try require(!deadline.hasPassed, "only \(seen) arrived")
          }
        }
        try requireEqual(seen, [1, 2, 3], "the bytes of the scattered reads")
        try requireEqual(try ends.near.readAll(until: .after(Times.limit)), [], "the bytes up to the end of the stream")
        for _ in 0..<2 {
          let end = try ends.near.value.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan))
          try requireEqual(end, .endOfStream, "a scattered read at the end")
        }
      }
      + rule("read.end-wakes", "A waiting read returns the end of the stream when the peer closes.") { ends in
        let far = ends.far
        let closer = RuleThread {
          awaitSleep()
          far.close()
        }
        let ended = Result {
          let watch = Stopwatch()
          try requireEqual(try ends.near.readAll(until: .after(Times.limit)), [], "bytes read")
          try watch.requirePrompt("the read")
        }
        // Join the thread before throwing a failure: the cleanup must not run while the thread closes the socket.
        try closer.join()
        try ended.get()
      }
      + rule("end.half-close", needs: .halfClose, "After the peer shuts down writing, the other direction still works.")
    {
      ends in
      try ends.far.writeAll([1, 2])
      try ends.far.value.shutdown(.write)
      try requireEqual(try ends.near.readAll(until: .after(Times.limit)), [1, 2], "bytes before the end")
      for _ in 0..<3 {
        try ends.near.writeAll([3, 4])
        try requireEqual(try ends.far.readExactly(2), [3, 4], "the other direction")
      }
      try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "a repeated read at the end of the stream")
      try ends.near.value.shutdown(.write)
      try requireEqual(
        try ends.far.readAll(until: .after(Times.limit)), [], "the bytes that the peer reads after the second shutdown")
    }
      + rule(
        "end.own-half-close", needs: .halfClose,
        "After a socket shuts down writing, a write fails with `.brokenPipe` and raises no SIGPIPE."
      ) {
        ends in
        try ends.near.value.shutdown(.write)
        try SignalWatch.countingBrokenPipes { count in
          try requireError(.brokenPipe, in: "a write after shutting down writing") { try ends.near.writeAll([1]) }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
        try ends.far.writeAll([5])
        try requireEqual(try ends.near.readExactly(1), [5], "the byte in the direction that is still open")
      }
      + rule(
        "end.shutdown-wakes", "Shutting down both directions ends a read of the socket that waits on another thread."
      ) { ends in
        let reader = RuleThread { try ends.near.readSome(until: .after(Times.limit)) }
        awaitSleep()
        let watch = Stopwatch()
        try ends.near.value.shutdown(.both)
        guard let result = reader.result(within: Times.limit + .seconds(1)) else {
          throw ConformanceFailure("the read did not end")
        }
        if case .success(let bytes) = result { try requireEqual(bytes, [], "bytes read") }
        try watch.requirePrompt("the read")
      }
  }
}
