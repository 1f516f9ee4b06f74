internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var endingRules: [ConformanceRule] {
    rule("read.end-of-stream", "A closed peer's bytes are read first, then the end, again and again; never before.") {
      ends in
      var random = SeededRandom(seed: 6)
      let sent = random.bytes(10_000)
      try ends.far.writeAll(sent)
      ends.far.close()
      try requireSameBytes(try ends.near.readAll(upTo: sent.count, until: .after(Times.limit)), sent, "read")
      for _ in 0..<3 {
        var buffer = [UInt8](repeating: 0, count: 8)
        let waiting = try ends.near.value.read(into: buffer.mutableSpan, until: .after(Times.limit))
        try requireEqual(waiting, .endOfStream, "a waiting read at the end")
        try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "a try at the end")
      }
    }
      + rule("read.scatter-end", "A scattered read would block while nothing is there, and ends with the stream.") {
        ends in
        var first: [UInt8] = [0]
        var second = [UInt8](repeating: 0, count: 64)
        let nothing = try ends.near.value.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan))
        try requireEqual(nothing, nil, "a scattered read of nothing")
        try ends.far.writeAll([1, 2, 3])
        ends.far.close()
        var seen: [UInt8] = []
        let deadline = Deadline.after(Times.limit)
        while seen.count < 3 {
          switch try ends.near.value.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan)) {
          case .bytes(let count): seen += (first + second).prefix(count)
          case .endOfStream: throw ConformanceFailure("an end after \(seen)")
          case nil: try require(!deadline.hasPassed, "only \(seen) arrived")
          }
        }
        try requireEqual(seen, [1, 2, 3], "scattered")
        try requireEqual(try ends.near.readAll(until: .after(Times.limit)), [], "the rest, up to the end")
        for _ in 0..<2 {
          let end = try ends.near.value.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan))
          try requireEqual(end, .endOfStream, "a scattered read at the end")
        }
      }
      + rule("read.end-wakes", "A read that waits ends with the stream when the peer closes.") { ends in
        let far = ends.far
        let closer = RuleThread {
          pause(Times.settle)
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
      + rule("end.half-close", needs: .halfClose, "After the peer ends its writing, the other direction still works.") {
        ends in
        try ends.far.writeAll([1, 2])
        try ends.far.value.shutdown(.write)
        try requireEqual(try ends.near.readAll(until: .after(Times.limit)), [1, 2], "bytes before the end")
        for _ in 0..<3 {
          try ends.near.writeAll([3, 4])
          try requireEqual(try ends.far.readExactly(2), [3, 4], "the other direction")
        }
        try requireEqual(try ends.near.readOnce().outcome, .endOfStream, "the end, once more")
        try ends.near.value.shutdown(.write)
        try requireEqual(try ends.far.readAll(until: .after(Times.limit)), [], "the other end")
      }
      + rule("end.own-half-close", needs: .halfClose, "After ending the own writing a write fails, without SIGPIPE.") {
        ends in
        try ends.near.value.shutdown(.write)
        try SignalWatch.countingBrokenPipes { count in
          try requireError(.brokenPipe, in: "a write after ending the writing") { try ends.near.writeAll([1]) }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
        try ends.far.writeAll([5])
        try requireEqual(try ends.near.readExactly(1), [5], "the direction that goes on")
      }
      + rule("end.shutdown-wakes", "Shutting a socket down ends a read of it that waits in another thread.") { ends in
        let reader = RuleThread { try ends.near.readSome(until: .after(Times.limit)) }
        pause(Times.settle)
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
