internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  var deadlineRules: [ConformanceRule] {
    rule("deadline.earlier", "A deadline made earlier acts on the call that waits.") { ends in
      let control = WaitControl()
      control.setDeadline(.after(Times.limit))
      let watch = Stopwatch()
      let reader = pendingRead(ends.near, control)
      pause(Times.settle)
      control.setDeadline(.after(Times.short))
      try requireEqual(try reader.join().code, .timedOut, "the read")
      try watch.require(from: Times.settle + Times.short, "the read")
    }
      + rule("deadline.later", "A deadline made later acts on the call that waits: it outlives the first one.") {
        ends in
        let control = WaitControl()
        control.setDeadline(.after(Times.short))
        let watch = Stopwatch()
        let reader = pendingRead(ends.near, control)
        pause(.milliseconds(5))
        // If the deadline was changed too late because the thread got no CPU, the result proves nothing.
        let late = Deadline.after(Times.short + Times.short)
        control.setDeadline(late)
        let inTime = watch.elapsed < Times.short
        try requireEqual(try reader.join().code, .timedOut, "the read")
        if inTime { try require(late.hasPassed, "the read ended at its first deadline, before the later one") }
      }
      + rule("deadline.earlier-of-both", "Of the call's deadline and the control's, the earlier one counts.") { ends in
        let control = WaitControl()
        control.setDeadline(.after(Times.limit))
        var byte: [UInt8] = [0]
        let watch = Stopwatch()
        try requireError(.timedOut, in: "a read") {
          try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.short).cancellable(by: control))
        }
        try watch.require(from: Times.short, "the read")
      }
      + rule("deadline.any-moment", "A deadline set into the past at any moment of a read's beginning ends it at once.")
    {
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
      + rule("deadline.passed", "With a deadline that has passed a call tries once, and does not wait.") { ends in
        var byte: [UInt8] = [0]
        for deadline in [Deadline.past, .after(.milliseconds(-5))] {
          let watch = Stopwatch()
          try requireError(.timedOut, in: "a read of nothing") {
            try ends.near.value.read(into: byte.mutableSpan, until: deadline)
          }
          try watch.requirePrompt("the read")
          try requireEqual(try ends.far.value.write([7].span, until: deadline), 1, "a write where there is room")
          try require(ends.near.value.readSource.becomesReadable(within: Times.patience), "no byte arrived")
          try requireEqual(
            try ends.near.value.read(into: byte.mutableSpan, until: deadline), .bytes(1), "a read where a byte is")
          try requireEqual(byte, [7], "the byte")
          byte = [0]
        }
      }
  }

  var cancelRules: [ConformanceRule] {
    rule("cancel.pending", "Cancelling ends the read and the write that wait at once: closing under a pending call.") {
      ends in
      let control = WaitControl()
      let threads = pendingBothWays(ends.near, until: .after(Times.limit), control)
      pause(Times.short)
      let watch = Stopwatch()
      control.cancel()
      for thread in threads { try requireEqual(try thread.join().code, .cancelled, "a waiting call") }
      try watch.requirePrompt("the calls")
    }
      + rule("cancel.any-moment", "Cancelling at any moment of a read's beginning ends it at once.") { ends in
        var byte: [UInt8] = [0]
        try atAnyMoment(seed: 22) {
          $0.cancel()
        } _: { control in
          try requireError(.cancelled, in: "a read") {
            try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.limit).cancellable(by: control))
          }
        }
      }
      + rule("cancel.before", "A control cancelled before the call means that nothing is tried.") { ends in
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
        try requireEqual(try ends.near.readExactly(1), [1], "the byte is still there")
        try requireEqual(try ends.far.readOnce().outcome, nil, "nothing was sent")
      }
      + rule("cancel.shared", "One control cancels every thread that waits with it.") { ends in
        let control = WaitControl()
        let readers = (0..<4).map { index in pendingRead(index % 2 == 0 ? ends.near : ends.far, control) }
        pause(Times.settle)
        let watch = Stopwatch()
        control.cancel()
        for reader in readers { try requireEqual(try reader.join().code, .cancelled, "a read") }
        try watch.requirePrompt("the reads")
      }
      + rule("deadline.shared", "One control's changed deadline reaches every thread that waits with it.") { ends in
        let control = WaitControl()
        let readers = (0..<4).map { index in pendingRead(index % 2 == 0 ? ends.near : ends.far, control) }
        pause(Times.settle)
        let watch = Stopwatch()
        control.setDeadline(.past)
        for reader in readers { try requireEqual(try reader.join().code, .timedOut, "a read") }
        try watch.requirePrompt("the reads")
      }
      + rule("cancel.harmless", "A cancelled wait leaves the connection usable, and other controls alone.") { ends in
        let control = WaitControl()
        let other = WaitControl()
        let reader = pendingRead(ends.near, control)
        pause(Times.settle)
        control.cancel()
        try requireEqual(try reader.join().code, .cancelled, "the read")
        try ends.roundTrip("after a cancelled read")
        var byte: [UInt8] = [0]
        try ends.far.writeAll([3])
        let read = try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.limit).cancellable(by: other))
        try requireEqual(read, .bytes(1), "a read with another control")
      }
      + rule("cancel.spin", "Cancelling ends a wait that spins, too.") { ends in
        let control = WaitControl()
        let reader = RuleThread {
          var byte: [UInt8] = [0]
          try requireError(.cancelled, in: "a spinning read") {
            try ends.near.value.read(
              into: byte.mutableSpan,
              until: .after(Times.limit).spinning(0, thenYielding: .max).cancellable(by: control))
          }
        }
        pause(.milliseconds(5))
        let watch = Stopwatch()
        control.cancel()
        try reader.join()
        try watch.requirePrompt("the read")
      }
  }
}

/// Starts a read that waits until an error ends it; the thread returns the error.
func pendingRead<S: StreamSocket & ~Copyable>(_ socket: Shared<S>, _ control: WaitControl) -> RuleThread<SocketError> {
  RuleThread {
    do {
      let bytes = try socket.readSome(until: .after(Times.limit).cancellable(by: control))
      throw ConformanceFailure("a read gave \(bytes.count) bytes although nobody writes")
    } catch let error as SocketError {
      return error
    }
  }
}
