internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var signalRules: [ConformanceRule] {
    rule("signal.pending-receive", "A signal during a receive that waits neither ends it nor loses the message.") {
      ends in
      let handled = try SignalWatch.interrupting(times: 3, then: { try ends.far.send([1, 2, 3]) }) {
        try ends.near.requireNext([1, 2, 3], "the message")
      }
      try requireSignals(handled)
    }
      + rule("signal.deadline", "A signal during a wait does not move its deadline.") { ends in
        let handled = try SignalWatch.interrupting(times: 3) {
          let watch = Stopwatch()
          try requireError(.timedOut, in: "a receive") {
            try ends.near.wait(64, WaitTerms(deadline: .after(Times.quiet)))
          }
          try watch.require(from: Times.quiet, "the receive")
        }
        try requireSignals(handled)
      }
      + rule(
        "signal.pending-send", given: .lossless,
        "A signal during a send that waits neither ends it nor doubles the message."
      ) {
        ends in
        let count = try ends.near.fill()
        let handled = try SignalWatch.interrupting(times: 3, then: { try ends.far.drain(count) }) {
          try ends.near.send(numbered(count, 1000))
        }
        try requireSignals(handled)
        try ends.far.drain(1, from: count)
        try ends.far.requireNothing("after the last one")
      }
  }

  var threadRules: [ConformanceRule] {
    rule("threads.receivers", "Of several threads that wait for messages each message is given to one, whole.") {
      ends in
      let receivers = (0..<4).map { _ in
        RuleThread { try (0..<8).map { _ in try ends.far.next() } }
      }
      for index in 0..<32 { try ends.near.send(numbered(index)) }
      var seen: [[UInt8]] = []
      for receiver in receivers { seen += try receiver.join().map(\.bytes) }
      try requireEqual(Set(seen), Set((0..<32).map { numbered($0) }), "the messages, in any order")
      try ends.far.requireNothing("after the last one")
    }
      + rule("threads.senders", "Messages that several threads send at once arrive whole, in each thread's order.") {
        ends in
        let senders = (0..<4).map { thread in
          RuleThread { for index in 0..<30 { try ends.near.send([UInt8(thread)] + numbered(index, 300)) } }
        }
        var counts = [0, 0, 0, 0]
        for _ in 0..<120 {
          let message = try ends.far.next()
          let thread = Int(message.bytes.first ?? 255)
          try require(thread < 4, "a message of none of the threads")
          try requireSameBytes(
            Array(message.bytes.dropFirst()), numbered(counts[thread], 300),
            "message \(counts[thread]) of thread \(thread)")
          counts[thread] += 1
        }
        for sender in senders { try sender.join() }
        try ends.far.requireNothing("after the last one")
      }
  }

  var descriptorRules: [ConformanceRule] {
    rule("descriptor.flags", "Both sockets' descriptors are close-on-exec and non-blocking.") { ends in
      for socket in [ends.near.socket, ends.far.socket] {
        for source in [socket.value.readSource, socket.value.writeSource] {
          try require(source.isOpen, "\(source) is not open")
          try require(
            source.isCloseOnExec, "\(source) is inherited by programs that are started: FD_CLOEXEC is missing")
          try require(source.isNonBlocking, "\(source) blocks: O_NONBLOCK is missing")
        }
      }
    }
      + rule("descriptor.closes", "A socket's descriptors close with its life.") { ends in
        let sources = [ends.near.socket.value.readSource, ends.near.socket.value.writeSource]
        ends.near.socket.close()
        for source in sources { try require(!source.isOpen, "\(source) is still open") }
      }
      + rule("address.match", given: .connected, "Each socket's remote address is the other's local address.") { ends in
        for (one, other) in [(ends.near, ends.far), (ends.far, ends.near)] {
          try requireEqual(
            try one.calls.peerAddress(one.socket), try other.socket.value.localAddress(), "a remote address")
        }
      }
  }
}

/// Requires that signals were handled. Pending signals are merged while the thread has no CPU, so a busy host may count
/// fewer than were sent.
private func requireSignals(_ handled: Int) throws {
  try require(handled >= 1 && handled <= 3, "\(handled) signals were handled of 3")
}
