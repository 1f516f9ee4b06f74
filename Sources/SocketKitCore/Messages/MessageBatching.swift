public import CSocketKit

// Calls that receive and send many messages.

extension MessageBatch {
  /// Removes the messages that represent the end of the connection.
  /// - Parameter number: the number of messages received.
  /// - Returns: the number of the remaining messages. The kernel reports the end of the connection as an empty message
  ///   in each free slot.
  @inlinable @inline(__always)
  mutating func dropEnd<S: MessageSocket & ~Copyable>(_ type: S.Type, _ number: Int) -> Int {
    var left = number
    // The batch is not empty, so the slot exists.
    while !isEmpty, unsafe headers[used &- 1].length == 0, S.isEnd(self[used &- 1].info) {
      removeLast()
      left &-= 1
    }
    return left
  }

  /// Receives as many messages as are available and fit into the batch, without waiting. The call first removes all
  /// messages from the batch. On kernel sockets it makes one system call.
  ///
  /// - Returns: the number of messages, at least 1; 0 at the end of the connection; nil if no message is available.
  /// - Throws: the error of the first receive.
  @inlinable
  public mutating func receive<S: MessageSocket & ~Copyable>(from socket: borrowing S) throws(SocketError) -> Int? {
    guard let number = try socket.attemptReceive(batch: &self).count(.receive) else { return nil }
    return dropEnd(S.self, number)
  }

  /// Receives as many messages as are available and fit into the batch. Blocks this thread until a message arrives. The
  /// call first removes all messages from the batch.
  ///
  /// - Returns: the number of messages, at least 1; 0 at the end of the connection. The call also returns 0, even on
  ///   datagram sockets, if ``Socket/shutdown(_:)`` has shut down the receiving direction and the queue is empty.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receive(from:)``.
  @inlinable
  public mutating func receive<S: MessageSocket & ~Copyable>(
    from socket: borrowing S, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try socket.waiting(for: .readable, .receive, until: limit, atEnd: 0) { (socket) throws(SocketError) in
      try receive(from: socket)
    }
  }

  /// Sends the unsent messages, without waiting. On kernel sockets the call makes one system call. On a UDP socket that
  /// joins messages (``mostJoined``), the call makes one system call for each run.
  ///
  /// - Returns: the number of messages that the kernel accepted; 0 if the batch contained no unsent message; nil if the
  ///   call would block. If the kernel accepted only some of the messages, call this method again. ``sent`` is the
  ///   number of all messages that have been sent.
  /// - Throws: the error of the first unsent message. All messages before this message have been sent. To skip this
  ///   message and continue, add 1 to ``sent``.
  @inlinable
  public mutating func send<S: MessageSocket & ~Copyable>(on socket: borrowing S) throws(SocketError) -> Int? {
    if sent == count { return 0 }
    return try socket.attemptSend(batch: &self).count(.send)
  }

  /// Sends all unsent messages. Blocks this thread while there is no buffer space.
  ///
  /// If a Unix socket is not connected to the receiver, the call resumes within one millisecond after the receiver's
  /// queue has space again, or within four milliseconds if the wait was long.
  /// - Returns: the number of messages that the call sent.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(on:)``. ``sent`` is then the number of messages that
  ///   were sent before the error.
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
      // A socket type of another package may report would-block although it has already sent the last message.
      if sent == count { return sent &- first }
      refused &+= 1
      // At least one message is unsent, so the slot exists.
      try unsafe wait.block(on: socket, afterRefusals: refused, isAddressed: headers[sent].message.name_length != 0)
    }
  }
}
