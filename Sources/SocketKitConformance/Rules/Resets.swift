internal import SocketKitCore

// The kernel returns the error of a lost connection only from the first call after the loss. Later calls in the other
// direction must end too.

extension StreamSocketSuite where S: ~Copyable {
  var resetRules: [ConformanceRule] {
    rule(
      "end.reset",
      "If the kernel reports that the connection is lost, a read fails with `.connectionReset`, without data."
    ) {
      ends in
      try ends.near.writeAll([1, 2, 3])
      try require(ends.far.value.readSource.becomesReadable(within: Times.patience), "no bytes arrived")
      // Closing a socket with unread bytes resets the connection, if the transport supports resets.
      ends.far.close()
      try require(ends.near.value.readSource.becomesReadable(within: Times.patience), "no end arrived")
      if !ends.near.value.readSource.hasPendingError { return }
      try requireError(.connectionReset, in: "a read of a connection that was reset") { try ends.near.readOnce() }
      try requireEqual(try ends.near.readSome(until: .after(Times.limit)), [], "bytes read after the reset")
    }
      + rule(
        "end.reset-by-write",
        "After a write has failed because the peer closed, every read ends immediately and every write fails."
      ) { ends in
        try ends.near.writeAll([1, 2, 3])
        try require(ends.far.value.readSource.becomesReadable(within: Times.patience), "no bytes arrived")
        // Closing a socket with unread bytes resets the connection.
        ends.far.close()
        let (error, _) = try ends.near.writeUntilError(until: .after(Times.limit))
        try requireGone(error, "the write")
        let watch = Stopwatch()
        for _ in 0..<2 {
          do {
            try requireEqual(try ends.near.readSome(until: .after(Times.limit)), [], "bytes read")
          } catch let error as SocketError {
            try requireGone(error, "a read after the write")
          }
        }
        try watch.requirePrompt("the read")
        try requireGone(ends.near.writeUntilError(until: .after(Times.limit)).0, "another write")
      }
  }
}

extension SequencedPacketSuite where S: ~Copyable {
  var resetRules: [ConformanceRule] {
    common.rule(
      "end.reset-by-send", "After a send has failed because the peer closed, receives end immediately and sends fail."
    ) { ends in
      try ends.near.send([1])
      try ends.far.awaitMessage()
      ends.far.socket.close()
      try require(ends.near.socket.value.readSource.becomesReadable(within: Times.patience), "no end arrived")
      try requireError(.brokenPipe, .connectionReset, .notConnected, in: "a send") { try ends.near.send([2]) }
      let watch = Stopwatch()
      do {
        try ends.near.requireEnd("after the send")
      } catch let error as SocketError {
        try requireGone(error, "a receive after the send")
        try ends.near.requireEnd("after the reset")
      }
      try watch.requirePrompt("the receive")
      try requireError(.brokenPipe, .connectionReset, .notConnected, in: "another send") { try ends.near.send([3]) }
    }
  }
}

private func requireGone(_ error: SocketError, _ what: String) throws {
  let codes = [SocketError.Code.connectionReset, .brokenPipe, .notConnected]
  try require(codes.contains(error.code), "\(what): the error \"\(error)\" does not report a lost connection")
}
