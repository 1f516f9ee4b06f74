internal import SocketKitCore

// A wrapper may hold bytes that it has already read from the kernel, and may have to write before it can read. These
// rules apply to every stream; a kernel socket passes them trivially.

extension StreamSocketSuite where S: ~Copyable {
  var heldByteRules: [ConformanceRule] {
    rule(
      "pending.reported",
      "Readable bytes are reported until they are read, by `pending` or by the sources of `sources(for:)`."
    ) { ends in
      let sent = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
      try ends.far.writeAll(sent)
      for (index, byte) in sent.enumerated() {
        let deadline = Deadline.after(Times.limit)
        var seen: [UInt8] = []
        while seen.isEmpty {
          try require(
            ends.near.isReported(.readable, within: Times.patience),
            "after \(index) of 300 bytes neither `pending` nor the sources report the next one")
          seen = try ends.near.readOnce(1).bytes
          try require(
            !seen.isEmpty || !deadline.hasPassed, "byte \(index) was reported as readable, but no read returned it")
        }
        try requireEqual(seen, [byte], "byte \(index)")
      }
    }
      + rule(
        "pending.read", "Waiting reads return the bytes of one write one at a time, without waiting for more data."
      ) {
        ends in
        let sent = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try ends.far.writeAll(sent)
        let watch = Stopwatch()
        var seen: [UInt8] = []
        for _ in sent { seen += try ends.near.readExactly(1) }
        try requireSameBytes(seen, sent, "the bytes read one at a time")
        try watch.requirePrompt("300 reads")
        try requireEqual(try ends.near.readOnce().outcome, nil, "a read after the last byte")
      }
      + rule(
        "pending.quiet", "If a call would block, `pending` does not contain its direction."
      ) { ends in
        try ends.near.requireNothingPending("before anything was sent")
        try ends.far.writeAll([UInt8](repeating: 1, count: 300))
        _ = try ends.near.readExactly(300)
        try ends.near.requireNothingPending("after everything was read")
        let bytes = [UInt8](repeating: 2, count: 65536)
        var count = 0
        while true {
          if try ends.near.value.write(bytes.span) != nil { continue }
          if !ends.near.value.pending.contains(.writable) { return }
          count += 1
          try require(count < 1000, "1000 writes would block, and `pending` contains writable after each")
        }
      }
      + rule("pending.shared", "Bytes that one reader does not take wake other readers that wait.") { ends in
        let sent = (1...16).map { UInt8($0) }
        for round in 0..<6 {
          let readers = sent.map { _ in RuleThread { try ends.near.readExactly(1) } }
          // All readers must sleep. A reader of a wrapper may wait for a descriptor that another thread makes readable.
          awaitSleep()
          try ends.far.writeAll(sent)
          let watch = Stopwatch()
          let seen = try readers.flatMap { try $0.join() }.sorted()
          try requireEqual(seen, sent, "the bytes of 16 readers in round \(round)")
          try watch.requirePrompt("16 reads")
        }
      }
      + rule("sources.read", "A read that must write first continues when there is buffer space for the write.") {
        ends in
        let taken = try ends.near.fillCompletely()
        var random = SeededRandom(seed: 33)
        let sent = random.bytes(512 << 10)
        let writer = RuleThread { try ends.far.writeAll(sent) }
        let progress = Counter()
        let reader = RuleThread { () -> [UInt8] in
          var seen: [UInt8] = []
          while seen.count < sent.count {
            let bytes = try ends.near.readSome(until: .after(Times.limit))
            try require(!bytes.isEmpty, "the end of the stream was reported after \(seen.count) bytes")
            seen += bytes
            progress.increment(by: bytes.count)
          }
          return seen
        }
        progress.awaitStandstill(upTo: sent.count)
        _ = try ends.far.readExactly(taken)
        let watch = Stopwatch()
        try requireSameBytes(try reader.join(), sent, "the bytes read while the other direction was full")
        try watch.requirePrompt("the rest of the reads")
        try writer.join()
      }
  }
}

extension Counter {
  /// Waits until the counter stops changing or reaches `end`.
  func awaitStandstill(upTo end: Int) {
    var last = -1
    while count != last && count < end {
      last = count
      pause(Times.short)
    }
  }
}

extension Shared where Value: StreamSocket & ~Copyable {
  /// Returns true if `pending` contains the direction, or if a source that must be watched for the direction becomes
  /// ready within the duration.
  func isReported(_ interest: Interest, within duration: Duration) -> Bool {
    if value.pending.rawValue & interest.rawValue != 0 { return true }
    let needed = value.sources(for: interest)
    return becomesReady(
      reading: needed.contains(.readable) ? value.readSource : nil,
      writing: needed.contains(.writable) ? value.writeSource : nil, within: duration)
  }

  /// Makes up to 1000 read calls. Requires that each of them would block, and that `pending` does not contain
  /// `.readable` after the last one.
  fileprivate func requireNothingPending(_ when: String) throws {
    for _ in 0..<1000 {
      try requireEqual(try readOnce().outcome, nil, "a read \(when)")
      if !value.pending.contains(.readable) { return }
    }
    throw ConformanceFailure("1000 reads would block \(when), and `pending` contains readable after each")
  }

  /// Writes zeros until the kernels of both ends accept no more; returns the number of bytes accepted.
  func fillCompletely() throws -> Int {
    var taken = 0
    repeat { taken += try fill() } while isReported(.writable, within: .milliseconds(20))
    return taken
  }
}
