internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var deadlineRules: [ConformanceRule] {
    rule("wait.later", "A waiting receive returns a message that arrives later, whether it sleeps or spins.") { ends in
      for strategy in WaitTerms.Strategy.allCases {
        let sender = RuleThread {
          awaitSleep(if: strategy != .spin)
          try ends.near.send([1, 2, 3])
        }
        let message = try ends.far.next(64, WaitTerms(deadline: .after(Times.limit), strategy: strategy))
        try sender.join()
        try requireEqual(message.bytes, [1, 2, 3], "the message received with \(strategy)")
      }
    }
      + rule(
        "timeout.receive",
        "A receive times out at its deadline, not earlier and not much later, and later messages are not lost."
      ) {
        ends in
        let watch = Stopwatch()
        try requireError(.timedOut, in: "a receive") {
          try ends.near.wait(64, WaitTerms(deadline: .after(Times.short)))
        }
        try watch.require(from: Times.short, "the receive")
        for strategy in [WaitTerms.Strategy.spin, .adaptive] {
          let watch = Stopwatch()
          try requireError(.timedOut, in: "a receive with \(strategy)") {
            try ends.near.wait(64, WaitTerms(deadline: .after(.milliseconds(5)), strategy: strategy))
          }
          try watch.require(from: .milliseconds(5), "the receive with \(strategy)")
        }
        try ends.roundTrip("after a time-out")
      }
      + rule(
        "timeout.send", given: .lossless,
        "A send without buffer space times out at its deadline and sends no part of the message."
      ) { ends in
        let count = try ends.near.fill()
        let watch = Stopwatch()
        try requireError(.timedOut, in: "a send") {
          try ends.near.send(numbered(count, 1000), WaitTerms(deadline: .after(Times.short)))
        }
        try watch.require(from: Times.short, "the send")
        try ends.far.drain(count)
        try ends.far.requireNothing("after the last accepted message")
      }
      + rule("wait.room", given: .lossless, "A waiting send succeeds after the peer has received messages.") { ends in
        let count = try ends.near.fill()
        let receiver = RuleThread {
          awaitSleep()
          try ends.far.drain(count)
        }
        try ends.near.send(numbered(count, 1000))
        try receiver.join()
        try ends.far.drain(1, from: count)
      }
      + rule("deadline.passed", "If the deadline has already passed, a call makes one attempt and does not wait.") {
        ends in
        for deadline in [Deadline.past, .after(.milliseconds(-5))] {
          let watch = Stopwatch()
          try requireError(.timedOut, in: "a receive without a message") {
            try ends.near.wait(64, WaitTerms(deadline: deadline))
          }
          try watch.requirePrompt("the receive")
          try ends.far.send([1], WaitTerms(deadline: deadline))
          try ends.near.awaitMessage()
          try requireEqual(
            try ends.near.next(64, WaitTerms(deadline: deadline)).bytes, [1], "a receive of a queued message")
        }
      }
      + rule("deadline.earlier", "A control's new, earlier deadline applies to a receive that is already waiting.") {
        ends in
        let control = WaitControl()
        let watch = Stopwatch()
        let receiver = pendingReceive(ends.near, control)
        awaitSleep()
        control.setDeadline(.after(.milliseconds(10)))
        try requireEqual(try receiver.join().code, .timedOut, "the receive")
        try watch.require(from: .milliseconds(20), "the receive")
      }
      + rule("deadline.later", "A control's new, later deadline applies to a receive that is already waiting.") {
        ends in
        try requireLaterDeadline("the receive") { control in pendingReceive(ends.near, control) }
      }
  }

  var cancelRules: [ConformanceRule] {
    rule(
      "cancel.pending", "Cancelling a control immediately ends all receives that wait with it, and no message is lost."
    ) { ends in
      let control = WaitControl()
      let receivers = (0..<3).map { _ in pendingReceive(ends.near, control) }
      awaitSleep()
      let watch = Stopwatch()
      control.cancel()
      for receiver in receivers { try requireEqual(try receiver.join().code, .cancelled, "a receive") }
      try watch.requirePrompt("the receives")
      try ends.roundTrip("after cancelled receives")
    }
      + rule("cancel.send", given: .lossless, "Cancelling ends a waiting send, and no part of the message is sent.") {
        ends in
        let count = try ends.near.fill()
        let control = WaitControl()
        let sender = RuleThread {
          try requireError(.cancelled, in: "a send") {
            try ends.near.send(numbered(count, 1000), WaitTerms(deadline: .after(Times.limit), control: control))
          }
        }
        awaitSleep()
        let watch = Stopwatch()
        control.cancel()
        try sender.join()
        try watch.requirePrompt("the send")
        try ends.far.drain(count)
        try ends.far.requireNothing("after the last accepted message")
      }
      + rule("cancel.before", "If the control is already cancelled, a call fails without an attempt.") { ends in
        let control = WaitControl()
        control.cancel()
        try ends.far.send([1])
        try ends.near.awaitMessage()
        let terms = WaitTerms(deadline: .after(Times.limit), control: control)
        try requireError(.cancelled, in: "a receive") { try ends.near.wait(64, terms) }
        try requireError(.cancelled, in: "a send") { try ends.near.send([2], terms) }
        try ends.near.requireNext([1], "the message that no receive returned")
        try ends.far.requireNothing("although no message was sent")
      }
  }
}

/// Starts a receive on a new thread. The receive waits until an error ends it, and the thread returns the error.
func pendingReceive<S: MessageSocket & ~Copyable>(_ end: MessageEnd<S>, _ control: WaitControl) -> RuleThread<
  SocketError
> {
  RuleThread {
    do {
      let message = try end.next(64, WaitTerms(deadline: .after(Times.limit), control: control))
      throw ConformanceFailure("a message of \(message.length) bytes was received although the peer does not send")
    } catch let error as SocketError {
      return error
    }
  }
}
