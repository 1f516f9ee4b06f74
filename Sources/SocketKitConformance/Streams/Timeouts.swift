internal import SocketKitCore

extension StreamSocketSuite where S: ~Copyable {
  /// The rules that correspond to the time-out cases of nettest. Two controls, one for each direction, represent the
  /// read deadline and the write deadline of a Go connection.
  var timeoutRules: [ConformanceRule] {
    rule(
      "timeout.racy-read", "If ten threads read at the same time with a deadline of 1 ms, reads fail only by time-out."
    ) {
      ends in
      let stop = WaitControl()
      let feeder = RuleThread { _ = try ends.far.writeUntilError(until: .after(Times.limit).cancellable(by: stop)) }
      let control = WaitControl()
      control.setDeadline(.after(.milliseconds(1)))
      let result = Result {
        try tenThreads {
          do throws(SocketError) {
            var buffer = [UInt8](repeating: 0, count: 1024)
            _ = try ends.near.value.read(into: buffer.mutableSpan, until: .never.cancellable(by: control))
            // Writing to the buffer reveals code that still uses it after the call.
            buffer[0] = 0xaa
          } catch {
            try requireEqual(error.code, .timedOut, "a failed read")
            control.setDeadline(.after(.milliseconds(1)))
          }
        }
      }
      stop.cancel()
      try feeder.join()
      try result.get()
    }
      + rule(
        "timeout.racy-write",
        "If ten threads write at the same time with a deadline of 1 ms, writes fail only by time-out."
      ) { ends in
        let stop = WaitControl()
        let eater = RuleThread {
          while (try? ends.far.readSome(until: .after(Times.limit).cancellable(by: stop))) != nil {}
        }
        let control = WaitControl()
        control.setDeadline(.after(.milliseconds(1)))
        let result = Result {
          try tenThreads {
            do throws(SocketError) {
              let bytes = [UInt8](repeating: 1, count: 1024)
              _ = try ends.near.value.write(bytes.span, until: .never.cancellable(by: control))
            } catch {
              try requireEqual(error.code, .timedOut, "a failed write")
              control.setDeadline(.after(.milliseconds(1)))
            }
          }
        }
        stop.cancel()
        try eater.join()
        try result.get()
      }
      + rule(
        "timeout.read", "If the deadline of the reading control is in the past, reads time out and writes still work."
      ) { ends in
        let control = WaitControl()
        control.setDeadline(.past)
        try requireTimedOutRead(ends.near, control)
        try ends.near.writeAll([1])
        try requireEqual(try ends.far.readExactly(1), [1], "the byte that was written")
      }
      + rule(
        "timeout.write", "If the deadline of the writing control is in the past, writes time out and reads still work."
      ) { ends in
        let control = WaitControl()
        control.setDeadline(.past)
        try requireTimedOutWrite(ends.near, control)
        try ends.far.writeAll([2])
        try requireEqual(try ends.near.readExactly(1), [2], "the read")
        try requireEqual(try ends.far.readOnce().outcome, nil, "the peer's read after a write that timed out")
      }
      + rule(
        "timeout.past", "Reads and writes time out after a past deadline is set, and work again after it is removed."
      ) { ends in
        try ends.roundTrip("before")
        let control = WaitControl()
        control.setDeadline(.past)
        try requireTimedOutWrite(ends.near, control)
        try ends.far.writeAll([7])
        try requireTimedOutRead(ends.near, control)
        control.setDeadline(.never)
        var byte: [UInt8] = [0]
        let read = try ends.near.value.read(into: byte.mutableSpan, until: .after(Times.limit).cancellable(by: control))
        try requireEqual(read, .bytes(1), "the read after the deadline was removed")
        try requireEqual(byte, [7], "the byte read afterwards")
        try requireEqual(
          try ends.near.value.write(byte.span, until: .after(Times.limit).cancellable(by: control)), 1, "the write")
        try requireEqual(try ends.far.readExactly(1), [7], "the byte that the peer reads")
      }
      + rule(
        "timeout.present", "Setting a past deadline ends a read and a write that are waiting; they do not end before."
      ) {
        ends in
        let control = WaitControl()
        let watch = Stopwatch()
        let threads = pendingBothWays(ends.near, until: .after(Times.limit), control)
        pause(Times.short)
        control.setDeadline(.past)
        for thread in threads { try requireEqual(try thread.join().code, .timedOut, "a waiting call") }
        try watch.require(from: Times.short, "the calls")
      }
      + rule(
        "timeout.future", "Waiting calls end at the control's deadline, and the connection remains usable."
      ) {
        ends in
        let watch = Stopwatch()
        let control = WaitControl()
        control.setDeadline(.after(Times.short))
        for thread in pendingBothWays(ends.near, until: .never, control) {
          try requireEqual(try thread.join().code, .timedOut, "a waiting call")
        }
        try watch.require(from: Times.short, "the calls")
        try ends.resynchronize()
        try ends.roundTrip("after the time-outs")
      }
      + rule("timeout.call", "A call ends at its deadline, not earlier and not much later.") { ends in
        var buffer = [UInt8](repeating: 0, count: 8)
        let watch = Stopwatch()
        try requireError(.timedOut, in: "a read") {
          try ends.near.value.read(into: buffer.mutableSpan, until: .after(Times.short))
        }
        try watch.require(from: Times.short, "the read")
        let deadline = Deadline.after(Times.short)
        let (error, _) = try ends.near.writeUntilError(until: deadline)
        try requireEqual(error.code, .timedOut, "a write")
        try require(deadline.hasPassed, "the write ended before its deadline")
      }
  }
}

/// Runs `body` a hundred times on each of ten threads.
func tenThreads(_ body: @escaping @Sendable () throws -> Void) throws {
  let threads = (0..<10).map { _ in RuleThread { for _ in 0..<100 { try body() } } }
  for thread in threads { try thread.join(within: .seconds(15)) }
}

/// Starts a read and a write of the same socket, each on a new thread. Each call waits until an error ends it, and each
/// thread returns its error.
func pendingBothWays<S: StreamSocket & ~Copyable>(
  _ socket: Shared<S>, until deadline: Deadline, _ control: WaitControl
) -> [RuleThread<SocketError>] {
  [
    RuleThread {
      do {
        let bytes = try socket.readSome(until: deadline.cancellable(by: control))
        throw ConformanceFailure("a read returned \(bytes.count) bytes although the peer does not write")
      } catch let error as SocketError {
        return error
      }
    },
    RuleThread { try socket.writeUntilError(until: deadline.cancellable(by: control)).0 },
  ]
}

func requireTimedOutRead<S: StreamSocket & ~Copyable>(_ socket: Shared<S>, _ control: WaitControl) throws {
  var buffer = [UInt8](repeating: 0, count: 8)
  let error = try requireError(.timedOut, in: "a read") {
    try socket.value.read(into: buffer.mutableSpan, until: .after(Times.limit).cancellable(by: control))
  }
  try requireEqual(error.transferred, 0, "bytes of a read that timed out")
  try requireEqual(buffer, [UInt8](repeating: 0, count: 8), "the buffer of a read that timed out")
}

func requireTimedOutWrite<S: StreamSocket & ~Copyable>(_ socket: Shared<S>, _ control: WaitControl) throws {
  let error = try requireError(.timedOut, in: "a write") {
    try socket.value.write([1, 2, 3].span, until: .after(Times.limit).cancellable(by: control))
  }
  try requireEqual(error.transferred, 0, "bytes of a write that timed out")
}
