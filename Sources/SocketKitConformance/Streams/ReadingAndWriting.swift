internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var readRules: [ConformanceRule] {
    rule(
      "read.empty-buffer",
      "A read into an empty buffer returns 0 bytes, with or without available data, and does not return the end."
    ) {
      ends in
      var none: [UInt8] = []
      try requireEqual(
        try ends.near.value.read(into: none.mutableSpan), .bytes(0), "a read into an empty buffer without data")
      try ends.far.writeAll([9])
      try requireEqual(try ends.near.readExactly(1), [9], "the byte")
      try ends.far.writeAll([8])
      try requireEqual(
        try ends.near.value.read(into: none.mutableSpan), .bytes(0), "a read into an empty buffer with data")
      let waiting = try ends.near.value.read(into: none.mutableSpan, until: .after(Times.limit))
      try requireEqual(waiting, .bytes(0), "a waiting read into an empty buffer")
      try requireEqual(try ends.near.readExactly(1), [8], "the byte read afterwards")
      try requireEqual(try ends.near.readOnce().outcome, nil, "a read without data on an open stream")
    }
      + rule(
        "read.would-block", "Without data, an attempt to read returns would-block immediately: no error and no end."
      ) { ends in
        let watch = Stopwatch()
        for _ in 0..<10 {
          try requireEqual(try ends.near.readOnce().outcome, nil, "an attempt")
          try watch.requirePrompt("an attempt")
        }
        try ends.roundTrip("after attempts that would block")
      }
      + rule(
        "read.short",
        "A read returns the available bytes without waiting to fill the buffer; later reads return the rest."
      ) {
        ends in
        try ends.far.writeAll([1, 2, 3, 4, 5])
        var seen: [UInt8] = []
        while seen.count < 5 {
          var two = [UInt8](repeating: 0, count: 2)
          guard case .bytes(let count) = try ends.near.value.read(into: two.mutableSpan, until: .after(Times.limit))
          else {
            throw ConformanceFailure("the end of the stream was reported after \(seen)")
          }
          try require(count >= 1 && count <= 2, "a read returned \(count) bytes into a buffer of 2 bytes")
          seen += two.prefix(count)
        }
        try requireEqual(seen, [1, 2, 3, 4, 5], "the bytes read")
        try requireEqual(try ends.near.readOnce().outcome, nil, "a read after the last byte")
      }
      + rule(
        "read.exact-count",
        "A read writes exactly as many bytes to the buffer as it reports and does not change the rest."
      ) {
        ends in
        try ends.far.writeAll([1, 2, 3])
        var buffer = [UInt8](repeating: 0xee, count: 16)
        guard case .bytes(let count) = try ends.near.value.read(into: buffer.mutableSpan, until: .after(Times.limit))
        else {
          throw ConformanceFailure("the end of the stream was reported, expected three bytes")
        }
        try require(count >= 1 && count <= 3, "a read returned \(count) of 3 bytes")
        let wanted = [1, 2, 3].prefix(count) + [UInt8](repeating: 0xee, count: 16 - count)
        try requireEqual(buffer, Array(wanted), "the buffer after \(count) bytes")
        try requireEqual(try ends.near.readExactly(3 - count), Array([1, 2, 3].dropFirst(count)), "the rest")
      }
      + rule("read.full-buffer", "A read that fills its buffer does not change memory before or after the buffer.") {
        ends in
        try ends.far.writeAll((1...10).map { $0 })
        var buffer = [UInt8](repeating: 0xee, count: 24)
        var filled = 0
        while filled < 4 {
          var span = buffer.mutableSpan
          switch try ends.near.value.read(
            into: span._mutatingExtracting(8 + filled..<12), until: .after(Times.limit))
          {
          case .bytes(let count): filled += count
          case .endOfStream: throw ConformanceFailure("the end of the stream was reported after \(filled) of ten bytes")
          }
        }
        let around = [UInt8](repeating: 0xee, count: 8)
        try requireEqual(
          buffer, around + [1, 2, 3, 4] + around + [0xee, 0xee, 0xee, 0xee], "the buffer and the memory around it")
        try requireEqual(try ends.near.readExactly(6), [5, 6, 7, 8, 9, 10], "the rest")
      }
      + rule(
        "read.output-span",
        "A read appends to an output span; a read into a full span returns 0 bytes and consumes no data."
      ) { ends in
        try ends.far.writeAll([1, 2, 3, 4])
        pause(.milliseconds(1))
        let deadline = Deadline.after(Times.limit)
        // The output span initializes the array's memory from the front, and returns how many bytes it initialized.
        let seen = try unsafe [UInt8](unsafeUninitializedCapacity: 3) { memory, count in
          var output = unsafe OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(memory), initializedCount: 0)
          while !output.isFull {
            switch try ends.near.value.read(into: &output) {
            case .bytes: continue
            case nil: try require(!deadline.hasPassed, "nothing arrived")
            case .endOfStream: throw ConformanceFailure("the end of the stream was reported")
            }
          }
          try requireEqual(try ends.near.value.read(into: &output), .bytes(0), "a read into a full span")
          count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(memory))
        }
        try requireEqual(seen, [1, 2, 3], "the bytes read")
        try requireEqual(try ends.near.readExactly(1), [4], "the byte that did not fit into the span")
      }
      + rule(
        "read.exactly-early-end",
        "If the stream ends before an exact read is complete, the error contains the number of bytes read."
      ) {
        ends in
        try ends.far.writeAll([1, 2, 3])
        ends.far.close()
        var buffer = [UInt8](repeating: 0, count: 5)
        let error = try requireError(.unexpectedEnd, in: "an exact read of five bytes when three were sent") {
          try ends.near.value.readExactly(into: buffer.mutableSpan, until: .after(Times.limit))
        }
        try requireEqual(error.transferred, 3, "the bytes that the error reports")
        try requireEqual(buffer, [1, 2, 3, 0, 0], "the buffer")
      }
      + rule("read.exactly-timed-out", "If an exact read times out, the error contains the number of bytes read.") {
        ends in
        try ends.far.writeAll([1, 2, 3])
        var buffer = [UInt8](repeating: 0, count: 5)
        let watch = Stopwatch()
        let error = try requireError(.timedOut, in: "an exact read of five bytes when three were sent") {
          try ends.near.value.readExactly(into: buffer.mutableSpan, until: .after(Times.short))
        }
        try watch.require(from: Times.short, "an exact read")
        try requireEqual(error.transferred, 3, "the bytes that the error reports")
        try requireEqual(buffer, [1, 2, 3, 0, 0], "the buffer")
        try ends.roundTrip("after a time-out")
      }
  }

  var writeRules: [ConformanceRule] {
    rule("write.empty", "A write of no bytes returns 0 and sends nothing.") { ends in
      let none: [UInt8] = []
      try requireEqual(try ends.near.value.write(none.span), 0, "an attempt")
      try requireEqual(try ends.near.value.write(none.span, until: .after(Times.limit)), 0, "a waiting write")
      try ends.near.writeAll([])
      try requireEqual(try ends.far.readOnce().outcome, nil, "the peer's read")
    }
      + rule(
        "write.would-block",
        "Writes to a peer that does not read eventually return would-block, without an error or a wait."
      ) {
        ends in
        let watch = Stopwatch()
        let taken = try ends.near.fill()
        try watch.require(from: .zero, "writing until a write would block")
        try require(taken > 0, "a new connection accepted no bytes")
        let reader = RuleThread { try ends.far.readExactly(taken).count }
        try requireEqual(try reader.join(), taken, "the number of bytes read afterwards")
        try ends.roundTrip("after a write that would block")
      }
      + rule(
        "write.true-count", "The peer receives exactly the bytes that writes report as accepted, once and in order."
      ) {
        ends in
        var random = SeededRandom(seed: 5)
        let bytes = random.bytes(1 << 20)
        var taken: [UInt8] = []
        while taken.count < 1 << 26 {
          guard let count = try ends.near.value.write(bytes.span) else { break }
          try require(count >= 1 && count <= bytes.count, "a write reported \(count) of \(bytes.count) bytes")
          taken += bytes.prefix(count)
        }
        let seen = try ends.far.readExactly(taken.count)
        try requireSameBytes(seen, taken, "the bytes read")
        try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last accepted byte")
      }
      + rule(
        "write.all-timed-out",
        "If `writeAll` times out because the peer does not read, the error contains the number of bytes accepted."
      ) {
        ends in
        let bytes = [UInt8](repeating: 3, count: 64 << 20)
        let watch = Stopwatch()
        let error = try requireError(.timedOut, in: "a write of 64 MiB without a reader") {
          try ends.near.value.writeAll(bytes.span, until: .after(.milliseconds(150)))
        }
        try watch.require(from: .milliseconds(150), "the write")
        try require(error.transferred > 0, "the error reports no accepted bytes")
        let seen = try ends.far.readExactly(error.transferred)
        try requireSameBytes(seen, [UInt8](repeating: 3, count: seen.count), "the bytes read")
        try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last accepted byte")
      }
      + rule(
        "write.gather-true-count",
        "The peer receives exactly the bytes that gathered writes report as accepted, in order."
      ) {
        ends in
        var random = SeededRandom(seed: 11)
        let (first, second) = (random.bytes(3000), random.bytes(1 << 20))
        var taken: [UInt8] = []
        while taken.count < 1 << 26 {
          guard let count = try ends.near.value.write(gathering: GatherList(first.span, second.span)) else { break }
          try require(count >= 1 && count <= first.count + second.count, "a gathered write reported \(count) bytes")
          taken += (first + second).prefix(count)
        }
        let seen = try ends.far.readExactly(taken.count)
        try requireSameBytes(seen, taken, "the bytes read")
        try requireEqual(try ends.far.readOnce().outcome, nil, "a read after the last accepted byte")
      }
      + rule("write.gather-closed-peer", "A gathered write to a peer that has closed fails and raises no SIGPIPE.") {
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
      + rule("write.closed-peer", "A write to a peer that has closed fails and raises no SIGPIPE.") { ends in
        ends.far.close()
        try SignalWatch.countingBrokenPipes { count in
          let bytes = [UInt8](repeating: 1, count: 65536)
          try requireError(.brokenPipe, .connectionReset, in: "writing to a closed peer") {
            let deadline = Deadline.after(Times.limit)
            while !deadline.hasPassed { _ = try ends.near.value.write(bytes.span, until: deadline) }
          }
          // Write again: after the first error the kernel returns EPIPE and, without MSG_NOSIGNAL, also sends SIGPIPE.
          try requireError(.brokenPipe, .connectionReset, in: "writing again") {
            try ends.near.value.write(bytes.span, until: .after(Times.limit))
          }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
      }
  }
}
