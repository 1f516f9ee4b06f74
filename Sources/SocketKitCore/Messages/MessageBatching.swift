public import CSocketKit

// Many messages with one call.

extension MessageSocket where Self: ~Copyable {
  /// Takes the end of the connection out of a batch of so many messages: the kernel reports it as empty ones, one for
  /// each free slot. How many messages came before it.
  @inlinable @inline(__always)
  func dropEnd(of batch: inout MessageBatch, _ number: Int) -> Int {
    // Where the last message is none, or has bytes, there was no end.
    if batch.isEmpty || batch.fullLength(at: batch.count &- 1) != 0 { return number }
    var left = number
    while !batch.isEmpty, batch.fullLength(at: batch.count &- 1) == 0, Self.isEnd(batch.info(at: batch.count &- 1)) {
      batch.removeLast()
      left &-= 1
    }
    return left
  }

  /// Receives as many messages as there are and fit, without waiting, with one system call on kernel sockets.
  ///
  /// - Parameter batch: emptied first.
  /// - Returns: the number of messages, at least 1; 0 at the end of a connection; nil when there is none now.
  /// - Throws: what the first receive failed with.
  @inlinable
  public borrowing func receive(batch: inout MessageBatch) throws(SocketError) -> Int? {
    let result = attemptReceive(batch: &batch)
    if result.raw >= 0 { return dropEnd(of: &batch, result.raw) }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Receives as many messages as there are and fit, waiting on this thread until there is one.
  ///
  /// - Parameter batch: emptied first.
  /// - Returns: the number of messages, at least 1; 0 at the end of a connection, and after ``Socket/shutdown(_:)`` of
  ///   the receiving direction when no message is left, also on datagram sockets.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(batch:)``.
  @inlinable
  public borrowing func receive(
    batch: inout MessageBatch, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try waiting(for: .readable, .receive, until: limit, atEnd: 0) { (socket) throws(SocketError) in
      try socket.receive(batch: &batch)
    }
  }

  /// Sends the batch's messages that have not been sent, without waiting, with one system call on kernel sockets.
  ///
  /// - Returns: how many the kernel took, perhaps fewer than there are: call again; 0 when none was left to send; nil
  ///   when it takes none now. ``MessageBatch/sent`` keeps count.
  /// - Throws: what the first unsent message failed with; those before it are sent. Skip it with
  ///   ``MessageBatch/markSent(_:)`` to go on.
  @inlinable
  public borrowing func send(batch: inout MessageBatch) throws(SocketError) -> Int? {
    if batch.sent == batch.count { return 0 }
    return try attemptSend(batch: &batch).count(.send)
  }

  /// Sends all messages of the batch that are not sent yet, waiting on this thread for room.
  ///
  /// Room at a Unix receiver that the socket is not connected to is noticed within a millisecond, or within four when
  /// the wait has taken long.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(batch:)``. ``MessageBatch/sent`` is the number of those that
  ///   went before.
  @inlinable
  public borrowing func send(
    batch: inout MessageBatch, until limit: some WaitLimit
  ) throws(SocketError) {
    if batch.sent == batch.count { return }
    var wait = try WaitOperation(.send, until: limit)
    var refused = 0
    while true {
      let result = attemptSend(batch: &batch)
      if result.raw >= 0 {
        if batch.sent == batch.count { return }
        refused = 0
        wait.progressed()
        try wait.check()
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

  @inlinable
  func sendWaiting(
    _ bytes: Span<UInt8>, _ receiver: AnySocketAddress, _ flags: SendFlags, until limit: some WaitLimit
  ) throws(SocketError) {
    var wait = try WaitOperation(.send, until: limit)
    var refused = 0
    while true {
      let result = receiver.withBytes { attemptSend(bytes.bytes, control: RawSpan(), to: $0, flags: flags) }
      if result.raw >= 0 { return }
      if !result.isWouldBlock { throw SocketError(result, .send) }
      // A socket that is not connected is writable although its receiver's queue is full (net/unix/af_unix.c,
      // unix_dgram_poll): then only time helps.
      refused &+= 1
      if refused > 2 && receiver.byteCount > 0 {
        try wait.pause()
      } else {
        try wait.block(on: writeSource, for: .writable)
      }
    }
  }
}
