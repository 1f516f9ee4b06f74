public import CSocketKit

// Moving batches with a deadline, waiting on the calling thread.

extension MessageSocket where Self: ~Copyable {
  /// Receives as many messages as there are and fit, waiting on this thread until there is one.
  ///
  /// - Parameter batch: emptied first.
  /// - Returns: their number, at least 1; 0 at the end of a connection, and after ``Socket/shutdown(_:)`` of the
  ///   receiving direction when no message is left, also on datagram sockets.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(batch:)``.
  @inlinable
  public borrowing func receive(
    batch: inout MessageBatch, until deadline: Deadline, strategy: some WaitStrategy = .park,
    control: WaitControl? = nil
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.receive, until: deadline, strategy: strategy, control: control)
    while true {
      let result = attemptReceive(batch: &batch)
      if result.raw >= 0 { return dropEnd(of: &batch, result.raw) }
      if !result.isWouldBlock { throw SocketError(result, .receive) }
      if try !wait.blockUnlessEnded(on: readSource, for: .readable) { return 0 }
    }
  }

  /// Sends all messages of the batch that are not sent yet, waiting on this thread for room.
  ///
  /// Room at a Unix receiver that the socket is not connected to is noticed within a millisecond, or within four when
  /// the wait has taken long.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(batch:)``. ``MessageBatch/sent`` tells how many went before.
  @inlinable
  public borrowing func send(
    batch: inout MessageBatch, until deadline: Deadline, strategy: some WaitStrategy = .park,
    control: WaitControl? = nil
  ) throws(SocketError) {
    if batch.sent == batch.count { return }
    var wait = try WaitOperation(.send, until: deadline, strategy: strategy, control: control)
    var refused = 0
    while batch.sent < batch.count {
      let result = attemptSend(batch: &batch)
      if result.raw >= 0 {
        refused = 0
        wait.progressed()
        continue
      }
      if !result.isWouldBlock { throw SocketError(result, .send) }
      // As for single messages: poll(2) reports a Unix socket writable although its receiver has no room.
      refused &+= 1
      if refused > 2 && batch.headers[batch.sent].message.name_length != 0 {
        try wait.pause()
      } else {
        try wait.block(on: writeSource, for: .writable)
      }
    }
  }
}
