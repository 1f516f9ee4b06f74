internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var readRules: [ConformanceRule] {
    rule("read.empty-buffer", "A read into an empty buffer is 0 bytes, with or without data, and never an end.") {
      ends in
      var none: [UInt8] = []
      try requireEqual(try ends.near.value.read(into: none.mutableSpan), .bytes(0), "nothing to read")
      try ends.far.writeAll([9])
      try requireEqual(try ends.near.readExactly(1), [9], "the byte")
      try ends.far.writeAll([8])
      try requireEqual(try ends.near.value.read(into: none.mutableSpan), .bytes(0), "something to read")
      let waiting = try ends.near.value.read(into: none.mutableSpan, until: .after(Times.limit))
      try requireEqual(waiting, .bytes(0), "a waiting read")
      try requireEqual(try ends.near.readExactly(1), [8], "the byte afterwards")
      try requireEqual(try ends.near.readOnce().outcome, nil, "the stream has not ended")
    }
      + rule("read.would-block", "With nothing to read, a try would block: no error, no end, no wait.") { ends in
        let watch = Stopwatch()
        for _ in 0..<10 {
          try requireEqual(try ends.near.readOnce().outcome, nil, "a try")
          try watch.requirePrompt("a try")
        }
        try ends.roundTrip("after tries that would block")
      }
      + rule("read.short", "A read gives what is there without waiting for a full buffer, and the rest later.") {
        ends in
        try ends.far.writeAll([1, 2, 3, 4, 5])
        var seen: [UInt8] = []
        while seen.count < 5 {
          var two = [UInt8](repeating: 0, count: 2)
          guard case .bytes(let count) = try ends.near.value.read(into: two.mutableSpan, until: .after(Times.limit))
          else {
            throw ConformanceFailure("an end after \(seen)")
          }
          try require(count >= 1 && count <= 2, "\(count) bytes in a buffer of 2")
          seen += two.prefix(count)
        }
        try requireEqual(seen, [1, 2, 3, 4, 5], "read")
        try requireEqual(try ends.near.readOnce().outcome, nil, "a read after the last byte")
      }
      + rule(
        "read.exact-count", "A read fills exactly the bytes that it reports and leaves the rest of the buffer alone."
      ) {
        ends in
        try ends.far.writeAll([1, 2, 3])
        var buffer = [UInt8](repeating: 0xee, count: 16)
        guard case .bytes(let count) = try ends.near.value.read(into: buffer.mutableSpan, until: .after(Times.limit))
        else {
          throw ConformanceFailure("an end instead of three bytes")
        }
        try require(count >= 1 && count <= 3, "\(count) bytes read of 3")
        let wanted = [1, 2, 3].prefix(count) + [UInt8](repeating: 0xee, count: 16 - count)
        try requireEqual(buffer, Array(wanted), "the buffer after \(count) bytes")
        try requireEqual(try ends.near.readExactly(3 - count), Array([1, 2, 3].dropFirst(count)), "the rest")
      }
      + rule("read.full-buffer", "A read that fills its buffer writes nothing before or behind it.") { ends in
        try ends.far.writeAll((1...10).map { $0 })
        var buffer = [UInt8](repeating: 0xee, count: 24)
        var filled = 0
        while filled < 4 {
          var span = buffer.mutableSpan
          switch try ends.near.value.read(
            into: span._mutatingExtracting(8 + filled..<12), until: .after(Times.limit))
          {
          case .bytes(let count): filled += count
          case .endOfStream: throw ConformanceFailure("an end after \(filled) of ten bytes")
          }
        }
        let around = [UInt8](repeating: 0xee, count: 8)
        try requireEqual(
          buffer, around + [1, 2, 3, 4] + around + [0xee, 0xee, 0xee, 0xee], "the buffer's surroundings")
        try requireEqual(try ends.near.readExactly(6), [5, 6, 7, 8, 9, 10], "the rest")
      }
      + rule("read.output-span", "Reading appends to an output span; a full one reads nothing.") { ends in
        try ends.far.writeAll([1, 2, 3, 4])
        pause(.milliseconds(1))
        let deadline = Deadline.after(Times.limit)
        let seen = try [UInt8](unsafeUninitializedCapacity: 3) { memory, count in
          var output = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(memory), initializedCount: 0)
          while !output.isFull {
            switch try ends.near.value.read(into: &output) {
            case .bytes: continue
            case nil: try require(!deadline.hasPassed, "nothing arrived")
            case .endOfStream: throw ConformanceFailure("an end")
            }
          }
          try requireEqual(try ends.near.value.read(into: &output), .bytes(0), "a full span")
          count = output.finalize(for: UnsafeMutableRawBufferPointer(memory))
        }
        try requireEqual(seen, [1, 2, 3], "read")
        try requireEqual(try ends.near.readExactly(1), [4], "the byte that had no room")
      }
      + rule("read.exactly-early-end", "An exact read of a stream that ends before says how many bytes it has.") {
        ends in
        try ends.far.writeAll([1, 2, 3])
        ends.far.close()
        var buffer = [UInt8](repeating: 0, count: 5)
        let error = try requireError(.unexpectedEnd, in: "five bytes of three") {
          try ends.near.value.readExactly(into: buffer.mutableSpan, until: .after(Times.limit))
        }
        try requireEqual(error.transferred, 3, "bytes reported")
        try requireEqual(buffer, [1, 2, 3, 0, 0], "the buffer")
      }
      + rule("read.exactly-timed-out", "An exact read that times out says how many bytes it has.") { ends in
        try ends.far.writeAll([1, 2, 3])
        var buffer = [UInt8](repeating: 0, count: 5)
        let watch = Stopwatch()
        let error = try requireError(.timedOut, in: "five bytes of three") {
          try ends.near.value.readExactly(into: buffer.mutableSpan, until: .after(Times.short))
        }
        try watch.require(from: Times.short, "an exact read")
        try requireEqual(error.transferred, 3, "bytes reported")
        try requireEqual(buffer, [1, 2, 3, 0, 0], "the buffer")
        try ends.roundTrip("after a time-out")
      }
  }

  var writeRules: [ConformanceRule] {
    rule("write.empty", "Writing nothing is 0 bytes and sends nothing.") { ends in
      let none: [UInt8] = []
      try requireEqual(try ends.near.value.write(none.span), 0, "a try")
      try requireEqual(try ends.near.value.write(none.span, until: .after(Times.limit)), 0, "a waiting write")
      try ends.near.writeAll([])
      try requireEqual(try ends.far.readOnce().outcome, nil, "the peer's read")
    }
      + rule("write.would-block", "A write to a peer that does not read would block in the end: no error, no wait.") {
        ends in
        let watch = Stopwatch()
        let taken = try ends.near.fill()
        try watch.require(from: .zero, "writing until it would block")
        try require(taken > 0, "a fresh connection took nothing")
        let reader = RuleThread { try ends.far.readExactly(taken).count }
        try requireEqual(try reader.join(), taken, "bytes read afterwards")
        try ends.roundTrip("after a write that would block")
      }
      + rule("write.true-count", "Exactly the bytes that a write reports as taken arrive, once each and in order.") {
        ends in
        var random = SeededRandom(seed: 5)
        let bytes = random.bytes(1 << 20)
        var taken: [UInt8] = []
        while taken.count < 1 << 26 {
          guard let count = try ends.near.value.write(bytes.span) else { break }
          try require(count >= 1 && count <= bytes.count, "\(count) bytes reported of \(bytes.count)")
          taken += bytes.prefix(count)
        }
        let seen = try ends.far.readExactly(taken.count)
        try requireSameBytes(seen, taken, "read")
        try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last byte taken")
      }
      + rule("write.all-timed-out", "Writing everything to a peer that does not read times out with the count taken.") {
        ends in
        let bytes = [UInt8](repeating: 3, count: 64 << 20)
        let watch = Stopwatch()
        let error = try requireError(.timedOut, in: "64 MiB without a reader") {
          try ends.near.value.writeAll(bytes.span, until: .after(.milliseconds(150)))
        }
        try watch.require(from: .milliseconds(150), "the write")
        try require(error.transferred > 0, "no bytes reported as taken")
        let seen = try ends.far.readExactly(error.transferred)
        try requireSameBytes(seen, [UInt8](repeating: 3, count: seen.count), "read")
        try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last byte taken")
      }
      + rule("write.gather-true-count", "Exactly the bytes that gathered writes report as taken arrive, in order.") {
        ends in
        var random = SeededRandom(seed: 11)
        let (first, second) = (random.bytes(3000), random.bytes(1 << 20))
        var taken: [UInt8] = []
        while taken.count < 1 << 26 {
          guard let count = try ends.near.value.write(gathering: GatherList(first.span, second.span)) else { break }
          try require(count >= 1 && count <= first.count + second.count, "\(count) bytes reported")
          taken += (first + second).prefix(count)
        }
        let seen = try ends.far.readExactly(taken.count)
        try requireSameBytes(seen, taken, "read")
        try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last byte taken")
      }
      + rule("write.gather-closed-peer", "A gathered write to a peer that has closed fails, and raises no SIGPIPE.") {
        ends in
        ends.far.close()
        try SignalWatch.countingBrokenPipes { count in
          let bytes = [UInt8](repeating: 1, count: 30_000)
          let deadline = Deadline.after(Times.limit)
          for turn in ["", ", again"] {
            try requireError(.brokenPipe, .connectionReset, in: "a gathered write to a closed peer\(turn)") {
              while !deadline.hasPassed { _ = try ends.near.value.write(gathering: GatherList(bytes.span, bytes.span)) }
            }
          }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
      }
      + rule("write.closed-peer", "Writing to a peer that has closed fails, and raises no SIGPIPE.") { ends in
        ends.far.close()
        try SignalWatch.countingBrokenPipes { count in
          let bytes = [UInt8](repeating: 1, count: 65536)
          try requireError(.brokenPipe, .connectionReset, in: "writing to a closed peer") {
            let deadline = Deadline.after(Times.limit)
            while !deadline.hasPassed { _ = try ends.near.value.write(bytes.span, until: deadline) }
          }
          // Write again: after the first error the kernel returns EPIPE, and would then also send the signal.
          try requireError(.brokenPipe, .connectionReset, in: "writing again") {
            try ends.near.value.write(bytes.span, until: .after(Times.limit))
          }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
      }
  }
}
