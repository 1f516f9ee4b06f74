public import CSocketKit

// Receiving and sending many messages with one call.

extension MessageBatch {
  /// Removes the end of the connection from the `number` messages received, and returns the number of messages before
  /// it. The kernel reports the end as empty messages, one for each free slot.
  @inlinable @inline(__always)
  mutating func dropEnd<S: MessageSocket & ~Copyable>(_ type: S.Type, _ number: Int) -> Int {
    // There was no end when the batch has no message or the last message has bytes.
    if isEmpty || headers[used &- 1].length != 0 { return number }
    var left = number
    while !isEmpty, headers[used &- 1].length == 0, S.isEnd(self[used &- 1].info) {
      removeLast()
      left &-= 1
    }
    return left
  }

  /// Receives as many messages as are available and fit into the batch, without waiting, with one system call on kernel
  /// sockets. The batch is emptied first.
  ///
  /// - Returns: the number of messages, at least 1; 0 at the end of a connection; nil when no message is available.
  /// - Throws: the error of the first receive.
  @inlinable
  public mutating func receive<S: MessageSocket & ~Copyable>(from socket: borrowing S) throws(SocketError) -> Int? {
    let result = socket.attemptReceive(batch: &self)
    if result.raw >= 0 { return dropEnd(S.self, result.raw) }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Receives as many messages as are available and fit into the batch, waiting on this thread until there is one. The
  /// batch is emptied first.
  ///
  /// - Returns: the number of messages, at least 1; 0 at the end of a connection, and after ``Socket/shutdown(_:)`` of
  ///   the receiving direction when no message is left, also on datagram sockets.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(from:)``.
  @inlinable
  public mutating func receive<S: MessageSocket & ~Copyable>(
    from socket: borrowing S, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try socket.waiting(for: .readable, .receive, until: limit, atEnd: 0) { (socket) throws(SocketError) in
      try receive(from: socket)
    }
  }

  /// Sends the unsent messages, without waiting. On kernel sockets, this takes one system call, or one for each run of
  /// messages where UDP joins them (``mostJoined``).
  ///
  /// - Returns: the number of messages that the kernel accepted; 0 when no unsent message was left; nil when the call
  ///   would block. The kernel may accept fewer messages than there are: call again. ``sent`` counts the messages sent.
  /// - Throws: the error of the first unsent message; the messages before it are sent. To continue, skip that message:
  ///   add 1 to ``sent``.
  @inlinable
  public mutating func send<S: MessageSocket & ~Copyable>(on socket: borrowing S) throws(SocketError) -> Int? {
    if sent == count { return 0 }
    return try socket.attemptSend(batch: &self).count(.send)
  }

  /// Sends all unsent messages, waiting on this thread for room.
  ///
  /// When a Unix socket is not connected to the receiver, the call detects free room within one millisecond, or within
  /// four after a long wait.
  /// - Returns: the number of messages that the call sent.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(on:)``. ``sent`` then counts the messages that were sent before
  ///   the error.
  @inlinable @discardableResult
  public mutating func send<S: MessageSocket & ~Copyable>(
    on socket: borrowing S, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    let first = sent
    if first == count { return 0 }
    var wait = try WaitOperation(.send, until: limit)
    var refused = 0
    while true {
      let result = socket.attemptSend(batch: &self)
      if result.raw >= 0 {
        if sent == count { return sent &- first }
        refused = 0
        wait.progressed()
        try wait.check()
        continue
      }
      if !result.isWouldBlock { throw SocketError(result, .send) }
      // As for single messages, poll(2) reports a Unix socket writable even when its receiver has no room.
      refused &+= 1
      if refused > 2 && headers[sent].message.name_length != 0 {
        try wait.pause()
      } else {
        try wait.block(on: socket, for: .writable)
      }
    }
  }
}
