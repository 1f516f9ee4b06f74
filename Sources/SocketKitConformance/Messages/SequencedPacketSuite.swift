public import SocketKitCore

/// The conformance rules of sequenced packets, run with connected pairs. ``ListenerSuite`` contains those for listening
/// and accepting.
///
/// ```swift
/// let suite = SequencedPacketSuite<MySocket>("mine", .lossless) { try MySocket.pair() }
/// ```
public struct SequencedPacketSuite<S: SequencedPacketSocket & ~Copyable>: ConformanceSuite {
  public let name: String
  let common: MessageRules<S>

  /// - Parameters:
  ///   - name: the name of the transport in reports.
  ///   - traits: the traits of the sockets; `.connected` and `.refusals` are implied.
  ///   - makePair: creates two connected sockets for each rule, with buffers for at least ten messages of 4096 bytes.
  ///     May throw ``ConformanceUnavailable`` with the cause.
  public init(_ name: String, _ traits: MessageTraits = [], makePair: @escaping @Sendable () throws -> SocketPair<S>) {
    self.name = name
    common = MessageRules(
      prefix: "packet", traits: traits.union([.connected, .refusals]), calls: .packets, makePair: makePair)
  }

  public var rules: [ConformanceRule] { common.all + endRules + otherEndRules + resetRules }

  private var endRules: [ConformanceRule] {
    common.rule("end.close", "A closed peer's packets are received first, then the end, again and again; never before.")
    {
      ends in
      for index in 0..<5 { try ends.far.send(numbered(index)) }
      ends.far.socket.close()
      for index in 0..<5 { try ends.near.requireNext(numbered(index), "packet \(index)") }
      for _ in 0..<3 {
        try ends.near.requireEnd("after the last packet")
        guard case .end = try ends.near.tryReceive() else { throw ConformanceFailure("a try at the end is none") }
      }
    }
      + common.rule("end.wakes", "A receive that waits ends with the connection when the peer closes.") { ends in
        let far = ends.far.socket
        let closer = RuleThread {
          pause(Times.settle)
          far.close()
        }
        let ended = Result {
          let watch = Stopwatch()
          try ends.near.requireEnd("of a closed peer")
          try watch.requirePrompt("the receive")
        }
        // Join the thread before throwing a failure: the cleanup must not run while the thread closes the socket.
        try closer.join()
        try ended.get()
      }
      + common.rule(
        "end.half-close", needs: .halfClose, "After the peer ends its writing, the other direction still works."
      ) {
        ends in
        try ends.far.send([1, 2])
        try ends.far.send([3])
        try ends.far.socket.value.shutdown(.write)
        try ends.near.requireNext([1, 2], "a packet before the end")
        try ends.near.requireNext([3], "the last packet")
        try ends.near.requireEnd("after the peer ended its writing")
        for index in 0..<3 {
          try ends.near.send(numbered(index))
          try ends.far.requireNext(numbered(index), "the other direction")
        }
        try ends.near.requireEnd("once more")
      }
      + common.rule(
        "end.own-half-close", needs: .halfClose, "After ending the own writing a send fails, without SIGPIPE."
      ) {
        ends in
        try ends.near.socket.value.shutdown(.write)
        try SignalWatch.countingBrokenPipes { count in
          try requireError(.brokenPipe, in: "a send after ending the writing") { try ends.near.send([1]) }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
        try ends.far.send([5])
        try ends.near.requireNext([5], "the direction that goes on")
      }
      + common.rule("end.empty", needs: .emptyMessages, "Empty packets come before the end, and are told from it.") {
        ends in
        for bytes: [UInt8] in [[], [1], [], []] { try ends.far.send(bytes) }
        ends.far.socket.close()
        for bytes: [UInt8] in [[], [1], [], []] { try ends.near.requireNext(bytes, "a packet of \(bytes.count)") }
        try ends.near.requireEnd("after the empty packets")
      }
  }

  private var otherEndRules: [ConformanceRule] {
    common.rule("end.reset", "A peer that closes with packets unread resets or ends the connection, without SIGPIPE.") {
      ends in
      try ends.near.send([1])
      try ends.far.awaitMessage()
      ends.far.socket.close()
      try SignalWatch.countingBrokenPipes { count in
        do {
          try ends.near.requireEnd("of a peer that left packets unread")
        } catch let error as SocketError {
          try requireEqual(error.code, .connectionReset, "what a receive says")
        }
        for _ in 0..<2 {
          try requireError(.brokenPipe, .connectionReset, .notConnected, in: "a send") { try ends.near.send([2]) }
        }
        try ends.near.requireEnd("after the reset was told")
        try requireEqual(count(), 0, "SIGPIPE signals")
      }
    }
      + common.rule(
        "end.batch", "In a batch the packets that wait come first, and the end after them, again and again."
      ) {
        ends in
        for index in 0..<3 { try ends.far.send(numbered(index)) }
        ends.far.socket.close()
        for ancillaryCapacity in [64, 0] {
          var batch = MessageBatch(capacity: 5, messageCapacity: 256, ancillaryCapacity: ancillaryCapacity)
          var packets = ancillaryCapacity == 64 ? 0 : 3
          while true {
            try ends.near.awaitMessage()
            let outcome = try batch.receive(from: ends.near.socket.value)
            if outcome == 0 { break }
            guard let count = outcome else { continue }
            try require(count >= 1 && packets + count <= 3, "\(packets + count) packets of 3")
            for slot in 0..<count {
              let bytes = batch[slot].bytes.withUnsafeBytes { Array($0) }
              try requireSameBytes(bytes, numbered(packets), "packet \(packets)")
              packets += 1
            }
          }
          try requireEqual(packets, 3, "packets before the end")
          try requireEqual(batch.count, 0, "messages in a batch that ended")
          let more = try batch.receive(from: ends.near.socket.value, until: .after(Times.patience))
          try requireEqual(more, 0, "messages after the end, waited for")
        }
      }
      + common.rule("end.shutdown-wakes", "Shutting a socket down ends a receive of it that waits in another thread.") {
        ends in
        let receiver = RuleThread { try ends.near.requireEnd("of the own shutdown") }
        pause(Times.settle)
        let watch = Stopwatch()
        try ends.near.socket.value.shutdown(.both)
        try receiver.join()
        try watch.requirePrompt("the receive")
      }
  }
}
