public import CSocketKit

// Receiving and sending many messages with one call.

extension MessageSocket where Self: ~Copyable {
  /// Removes the end of the connection from a batch of `number` messages, and returns the number of messages before it.
  /// The kernel reports the end as empty messages, one for each free slot.
  @inlinable @inline(__always)
  func dropEnd(of batch: inout MessageBatch, _ number: Int) -> Int {
    // There was no end when the batch has no message or the last message has bytes.
    if batch.isEmpty || batch.fullLength(at: batch.count &- 1) != 0 { return number }
    var left = number
    while !batch.isEmpty, batch.fullLength(at: batch.count &- 1) == 0, Self.isEnd(batch.info(at: batch.count &- 1)) {
      batch.removeLast()
      left &-= 1
    }
    return left
  }

  /// Receives as many messages as are available and fit into the batch, without waiting, with one system call on kernel
  /// sockets.
  ///
  /// - Parameter batch: emptied first.
  /// - Returns: the number of messages, at least 1; 0 at the end of a connection; nil when no message is available.
  /// - Throws: the error of the first receive.
  @inlinable
  public borrowing func receive(batch: inout MessageBatch) throws(SocketError) -> Int? {
    let result = attemptReceive(batch: &batch)
    if result.raw >= 0 { return dropEnd(of: &batch, result.raw) }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Receives as many messages as are available and fit into the batch, waiting on this thread until there is one.
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

  /// Sends the unsent messages of the batch, without waiting. On kernel sockets, this takes one system call, or one for
  /// each run of messages where UDP joins them (``MessageBatch/mostJoined``).
  ///
  /// - Returns: the number of messages that the kernel accepted; 0 when no unsent message was left; nil when the call
  ///   would block. The kernel may accept fewer messages than there are: call again. ``MessageBatch/sent`` counts the
  ///   messages sent.
  /// - Throws: the error of the first unsent message; the messages before it are sent. To continue, skip that message
  ///   with ``MessageBatch/markSent(_:)``.
  @inlinable
  public borrowing func send(batch: inout MessageBatch) throws(SocketError) -> Int? {
    if batch.sent == batch.count { return 0 }
    return try attemptSend(batch: &batch).count(.send)
  }

  /// Sends all unsent messages of the batch, waiting on this thread for room.
  ///
  /// When a Unix socket is not connected to the receiver, the call detects free room within one millisecond, or within
  /// four after a long wait.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(batch:)``. ``MessageBatch/sent`` then counts the messages that
  ///   were sent before the error.
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
      // As for single messages, poll(2) reports a Unix socket writable even when its receiver has no room.
      refused &+= 1
      if refused > 2 && batch.headers[batch.sent].message.name_length != 0 {
        try wait.pause()
      } else {
        try wait.block(on: self, for: .writable)
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
      let result = receiver.withBytes { attemptSend(bytes.bytes, ancillary: RawSpan(), to: $0, flags: flags) }
      if result.raw >= 0 { return }
      if !result.isWouldBlock { throw SocketError(result, .send) }
      // A socket that is not connected is writable even when its receiver's queue is full (net/unix/af_unix.c,
      // unix_dgram_poll), so the call sleeps instead of polling.
      refused &+= 1
      if refused > 2 && receiver.byteCount > 0 {
        try wait.pause()
      } else {
        try wait.block(on: self, for: .writable)
      }
    }
  }
}
