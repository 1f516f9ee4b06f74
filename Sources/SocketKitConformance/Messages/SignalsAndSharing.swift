internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var signalRules: [ConformanceRule] {
    rule(
      "signal.pending-receive",
      "A signal handler that runs during a waiting receive neither ends the receive nor loses the message."
    ) {
      ends in
      let handled = try SignalWatch.interrupting(times: 3, then: { try ends.far.send([1, 2, 3]) }) {
        try ends.near.requireNext([1, 2, 3], "the message")
      }
      try requireSignals(handled)
    }
      + rule(
        "signal.deadline", "A signal handler that runs during a wait does not change the time at which the wait ends."
      ) { ends in
        try SignalWatch.interrupting(times: 3, during: Times.quiet) { time in
          let watch = Stopwatch()
          try requireError(.timedOut, in: "a receive") {
            try ends.near.wait(64, WaitTerms(deadline: .after(time)))
          }
          try watch.require(from: time, "the receive")
        }
      }
      + rule(
        "signal.pending-send", given: .lossless,
        "A signal handler that runs during a waiting send neither ends the send nor duplicates the message."
      ) {
        ends in
        let count = try ends.near.fill()
        let handled = try SignalWatch.interrupting(times: 3, then: { try ends.far.drain(count) }) {
          try ends.near.send(numbered(count, 1000))
        }
        try requireSignals(handled)
        try ends.far.drain(1, from: count)
        try ends.far.requireNothing("after the last message")
      }
  }

  var threadRules: [ConformanceRule] {
    rule(
      "threads.receivers", "If several threads wait for messages, exactly one thread receives each message, complete."
    ) {
      ends in
      let receivers = (0..<4).map { _ in
        RuleThread { try (0..<8).map { _ in try ends.far.next() } }
      }
      for index in 0..<32 { try ends.near.send(numbered(index)) }
      var seen: [[UInt8]] = []
      for receiver in receivers { seen += try receiver.join().map(\.bytes) }
      try requireEqual(Set(seen), Set((0..<32).map { numbered($0) }), "the messages, in any order")
      try ends.far.requireNothing("after the last message")
    }
      + rule(
        "threads.senders",
        "Messages that several threads send at the same time arrive complete, in the order of each thread."
      ) {
        ends in
        let senders = (0..<4).map { thread in
          RuleThread { for index in 0..<30 { try ends.near.send([UInt8(thread)] + numbered(index, 300)) } }
        }
        var counts = [0, 0, 0, 0]
        for _ in 0..<120 {
          let message = try ends.far.next()
          let thread = Int(message.bytes.first ?? 255)
          try require(thread < 4, "a message that no thread sent")
          try requireSameBytes(
            Array(message.bytes.dropFirst()), numbered(counts[thread], 300),
            "message \(counts[thread]) of thread \(thread)")
          counts[thread] += 1
        }
        for sender in senders { try sender.join() }
        try ends.far.requireNothing("after the last message")
      }
  }

  var descriptorRules: [ConformanceRule] {
    rule("descriptor.flags", "The descriptors of both sockets are close-on-exec and non-blocking.") { ends in
      for socket in [ends.near.socket, ends.far.socket] {
        for source in [socket.value.readSource, socket.value.writeSource] {
          try require(source.isOpen, "\(source) is not open")
          try require(
            source.isCloseOnExec, "\(source) is inherited by executed programs: FD_CLOEXEC is missing")
          try require(source.isNonBlocking, "\(source) blocks: O_NONBLOCK is missing")
        }
      }
    }
      + rule("descriptor.closes", "Destroying a socket closes its descriptors.") { ends in
        let sources = [ends.near.socket.value.readSource, ends.near.socket.value.writeSource]
        ends.near.socket.close()
        for source in sources { try require(!source.isOpen, "\(source) is still open") }
      }
      + rule("address.match", given: .connected, "Each socket's remote address is the other socket's local address.") {
        ends in
        for (one, other) in [(ends.near, ends.far), (ends.far, ends.near)] {
          try requireEqual(
            try one.calls.peerAddress(one.socket), try other.socket.value.localAddress(), "a remote address")
        }
      }
  }
}

/// Requires that signals were handled. On a busy host, the number of handled signals may be less than the number of
/// sent signals, because the kernel merges pending signals while the thread does not run.
private func requireSignals(_ handled: Int) throws {
  try require(handled >= 1 && handled <= 3, "\(handled) of 3 signals were handled")
}
