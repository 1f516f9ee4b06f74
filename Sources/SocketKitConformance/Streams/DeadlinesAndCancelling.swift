internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var deadlineRules: [ConformanceRule] {
    rule("deadline.earlier", "A control's new, earlier deadline applies to a call that is already waiting.") { ends in
      let control = WaitControl()
      control.setDeadline(.after(Times.limit))
      let watch = Stopwatch()
      let reader = pendingRead(ends.near, control)
      awaitSleep()
      control.setDeadline(.after(Times.short))
      try requireEqual(try reader.join().code, .timedOut, "the read")
      try watch.require(from: .milliseconds(10) + Times.short, "the read")
    }
      + rule("deadline.later", "A control's new, later deadline applies to a call that is already waiting.") {
        ends in
        try requireLaterDeadline("the read") { control in pendingRead(ends.near, control) }
      }
      + rule("deadline.earlier-of-both", "A call ends at the earlier of its own deadline and its control's deadline.") {
        ends in
        let control = WaitControl()
        control.setDeadline(.after(Times.limit))
        var byte: [UInt8] = [0]
        let watch = Stopwatch()
        try requireError(.timedOut, in: "a read") {
          try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.short).cancellable(by: control))
        }
        try watch.require(from: Times.short, "the read")
      }
      + rule(
        "deadline.any-moment",
        "Setting a past deadline ends a read immediately, even while the read is starting to wait."
      ) {
        ends in
        var byte: [UInt8] = [0]
        try atAnyMoment(seed: 21) {
          $0.setDeadline(.past)
        } _: { control in
          try requireError(.timedOut, in: "a read") {
            try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.limit).cancellable(by: control))
          }
        }
      }
      + rule("deadline.passed", "If the deadline has already passed, a call makes one attempt and does not wait.") {
        ends in
        var byte: [UInt8] = [0]
        for deadline in [Deadline.past, .after(.milliseconds(-5))] {
          let watch = Stopwatch()
          try requireError(.timedOut, in: "a read of nothing") {
            try ends.near.value.read(into: byte.mutableSpan, until: deadline)
          }
          try watch.requirePrompt("the read")
          try requireEqual(try ends.far.value.write([7].span, until: deadline), 1, "a write with free buffer space")
          try require(ends.near.value.readSource.becomesReadable(within: Times.patience), "no byte arrived")
          try requireEqual(
            try ends.near.value.read(into: byte.mutableSpan, until: deadline), .bytes(1), "a read of an available byte")
          try requireEqual(byte, [7], "the byte")
          byte = [0]
        }
      }
  }

  var cancelRules: [ConformanceRule] {
    rule("cancel.pending", "Cancelling a control immediately ends a read and a write that are waiting.") {
      ends in
      let control = WaitControl()
      let threads = pendingBothWays(ends.near, until: .after(Times.limit), control)
      pause(Times.short)
      awaitSleep()
      let watch = Stopwatch()
      control.cancel()
      for thread in threads { try requireEqual(try thread.join().code, .cancelled, "a waiting call") }
      try watch.requirePrompt("the calls")
    }
      + rule("cancel.any-moment", "Cancelling ends a read immediately, even while the read is starting to wait.") {
        ends in
        var byte: [UInt8] = [0]
        try atAnyMoment(seed: 22) {
          $0.cancel()
        } _: { control in
          try requireError(.cancelled, in: "a read") {
            try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.limit).cancellable(by: control))
          }
        }
      }
      + rule("cancel.before", "If the control is already cancelled, a call fails without an attempt.") { ends in
        let control = WaitControl()
        control.cancel()
        try ends.far.writeAll([1])
        pause(.milliseconds(2))
        var byte: [UInt8] = [0]
        try requireError(.cancelled, in: "a read") {
          try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.limit).cancellable(by: control))
        }
        try requireError(.cancelled, in: "a write") {
          try ends.near.value.write([2].span, until: .after(Times.limit).cancellable(by: control))
        }
        try requireEqual(try ends.near.readExactly(1), [1], "the byte that no read returned")
        try requireEqual(try ends.far.readOnce().outcome, nil, "the peer's read after a cancelled write")
      }
      + rule("cancel.shared", "Cancelling a control ends the calls of all threads that wait with that control.") {
        ends in
        let control = WaitControl()
        let readers = (0..<4).map { index in pendingRead(index % 2 == 0 ? ends.near : ends.far, control) }
        awaitSleep()
        let watch = Stopwatch()
        control.cancel()
        for reader in readers { try requireEqual(try reader.join().code, .cancelled, "a read") }
        try watch.requirePrompt("the reads")
      }
      + rule("deadline.shared", "Changing a control's deadline applies to all threads that wait with that control.") {
        ends in
        let control = WaitControl()
        let readers = (0..<4).map { index in pendingRead(index % 2 == 0 ? ends.near : ends.far, control) }
        awaitSleep()
        let watch = Stopwatch()
        control.setDeadline(.past)
        for reader in readers { try requireEqual(try reader.join().code, .timedOut, "a read") }
        try watch.requirePrompt("the reads")
      }
      + rule(
        "cancel.harmless", "After a cancelled wait, the connection is usable and other controls are not cancelled."
      ) { ends in
        let control = WaitControl()
        let other = WaitControl()
        let reader = pendingRead(ends.near, control)
        awaitSleep()
        control.cancel()
        try requireEqual(try reader.join().code, .cancelled, "the read")
        try ends.roundTrip("after a cancelled read")
        var byte: [UInt8] = [0]
        try ends.far.writeAll([3])
        let read = try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.limit).cancellable(by: other))
        try requireEqual(read, .bytes(1), "a read with another control")
      }
      + rule("cancel.spin", "Cancelling ends a wait that spins.") { ends in
        // A spinning thread does not sleep, so nothing shows that it has reached its wait. In most rounds it has.
        for _ in 0..<10 {
          let control = WaitControl()
          let started = Gate()
          let reader = RuleThread {
            var byte: [UInt8] = [0]
            started.open()
            try requireError(.cancelled, in: "a spinning read") {
              try ends.near.value.read(
                into: byte.mutableSpan,
                until: .after(Times.limit).spinning(0, thenYielding: .max).cancellable(by: control))
            }
          }
          try require(started.wait(within: Times.limit), "a thread did not start")
          pause(.milliseconds(5))
          let watch = Stopwatch()
          control.cancel()
          try reader.join()
          try watch.requirePrompt("the read")
        }
      }
  }
}

/// Requires that a call that is already waiting ends at a new, later deadline of its control, and not at the first
/// deadline.
/// - Parameter start: starts the call with the control on a new thread, which returns the error of the call.
func requireLaterDeadline(_ call: String, _ start: (WaitControl) -> RuleThread<SocketError>) throws {
  try repeatUntilConclusive(from: Times.short) { time in
    let watch = Stopwatch()
    let control = WaitControl()
    control.setDeadline(.after(time))
    let thread = start(control)
    awaitSleep()
    let late = Deadline.after(time + time)
    control.setDeadline(late)
    let isInTime = watch.elapsed < time
    try requireEqual(try thread.join().code, .timedOut, call)
    if isInTime { try require(late.hasPassed, "\(call) ended at its first deadline, before the later one") }
    return isInTime
  }
}

/// Starts a read on a new thread. The read waits until an error ends it, and the thread returns the error.
func pendingRead<S: StreamSocket & ~Copyable>(_ socket: Shared<S>, _ control: WaitControl) -> RuleThread<SocketError> {
  RuleThread {
    do {
      let bytes = try socket.readSome(until: .after(Times.limit).cancellable(by: control))
      throw ConformanceFailure("a read returned \(bytes.count) bytes although the peer does not write")
    } catch let error as SocketError {
      return error
    }
  }
}
