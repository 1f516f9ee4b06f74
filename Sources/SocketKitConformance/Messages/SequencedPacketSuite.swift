public import SocketKitCore

/// The conformance rules of sequenced packets, run with connected pairs. ``ListenerSuite`` contains the rules for
/// listening and accepting.
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
    common.rule(
      "end.close",
      "Receives return all packets of a peer that has closed, and after the last packet every receive returns the end."
    ) {
      ends in
      for index in 0..<5 { try ends.far.send(numbered(index)) }
      ends.far.socket.close()
      for index in 0..<5 { try ends.near.requireNext(numbered(index), "packet \(index)") }
      for _ in 0..<3 {
        try ends.near.requireEnd("after the last packet")
        guard case .end = try ends.near.tryReceive() else {
          throw ConformanceFailure("an attempt to receive after the last packet did not return the end")
        }
      }
    }
      + common.rule("end.wakes", "A waiting receive returns the end when the peer closes.") { ends in
        let far = ends.far.socket
        let closer = RuleThread {
          awaitSleep()
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
        "end.half-close", needs: .halfClose, "After the peer shuts down writing, the other direction still works."
      ) {
        ends in
        try ends.far.send([1, 2])
        try ends.far.send([3])
        try ends.far.socket.value.shutdown(.write)
        try ends.near.requireNext([1, 2], "a packet before the end")
        try ends.near.requireNext([3], "the last packet")
        try ends.near.requireEnd("after the peer shut down writing")
        for index in 0..<3 {
          try ends.near.send(numbered(index))
          try ends.far.requireNext(numbered(index), "the message in the other direction")
        }
        try ends.near.requireEnd("in a repeated receive")
      }
      + common.rule(
        "end.own-half-close", needs: .halfClose,
        "After a socket shuts down writing, a send fails with `.brokenPipe` and raises no SIGPIPE."
      ) {
        ends in
        try ends.near.socket.value.shutdown(.write)
        try SignalWatch.countingBrokenPipes { count in
          try requireError(.brokenPipe, in: "a send after shutting down writing") { try ends.near.send([1]) }
          try requireEqual(count(), 0, "SIGPIPE signals")
        }
        try ends.far.send([5])
        try ends.near.requireNext([5], "the packet in the direction that is still open")
      }
      + common.rule(
        "end.empty", needs: .emptyMessages,
        "Empty packets are received before the end and are distinguished from the end."
      ) {
        ends in
        for bytes: [UInt8] in [[], [1], [], []] { try ends.far.send(bytes) }
        ends.far.socket.close()
        for bytes: [UInt8] in [[], [1], [], []] { try ends.near.requireNext(bytes, "a packet of \(bytes.count) bytes") }
        try ends.near.requireEnd("after the empty packets")
      }
  }

  private var otherEndRules: [ConformanceRule] {
    common.rule(
      "end.reset", "If the peer closes with unread packets, the connection ends or is reset, and no SIGPIPE is raised."
    ) {
      ends in
      try ends.near.send([1])
      try ends.far.awaitMessage()
      ends.far.socket.close()
      try SignalWatch.countingBrokenPipes { count in
        do {
          try ends.near.requireEnd("of a peer that left packets unread")
        } catch let error as SocketError {
          try requireEqual(error.code, .connectionReset, "the error of a receive")
        }
        for _ in 0..<2 {
          try requireError(.brokenPipe, .connectionReset, .notConnected, in: "a send") { try ends.near.send([2]) }
        }
        try ends.near.requireEnd("after the reset was returned")
        try requireEqual(count(), 0, "SIGPIPE signals")
      }
    }
      + common.rule(
        "end.batch",
        "A batch contains the queued packets; after the last packet every receive of a batch returns the end."
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
            try require(count >= 1 && packets + count <= 3, "\(packets + count) packets were received, expected 3")
            for slot in 0..<count {
              let bytes = Array(copying: batch[slot].bytes.integerBytes)
              try requireSameBytes(bytes, numbered(packets), "packet \(packets)")
              packets += 1
            }
          }
          try requireEqual(packets, 3, "the number of packets before the end")
          try requireEqual(batch.count, 0, "the number of messages in a batch at the end")
          let more = try batch.receive(from: ends.near.socket.value, until: .after(Times.patience))
          try requireEqual(more, 0, "the number of messages in a waiting receive after the end")
        }
      }
      + common.rule(
        "end.shutdown-wakes", "Shutting down both directions ends a receive of the socket that waits on another thread."
      ) {
        ends in
        let receiver = RuleThread { try ends.near.requireEnd("after the socket's own shutdown") }
        awaitSleep()
        let watch = Stopwatch()
        try ends.near.socket.value.shutdown(.both)
        try receiver.join()
        try watch.requirePrompt("the receive")
      }
  }
}
