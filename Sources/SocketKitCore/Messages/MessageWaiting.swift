extension MessageSocket where Self: ~Copyable {
  /// Sends one message with a primitive. Blocks this thread until there is buffer space.
  @inlinable @inline(__always)
  borrowing func sending(
    to receiver: AnySocketAddress, until limit: some WaitLimit, _ attempt: (borrowing Self, RawSpan) -> IOResult
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.send, until: limit)
    var refused = 0
    while true {
      let result = receiver.withBytes { attempt(self, $0) }
      if result.raw >= 0 { return result.raw }
      if !result.isWouldBlock { throw SocketError(result, .send) }
      refused &+= 1
      try wait.block(on: self, afterRefusals: refused, isAddressed: receiver.byteCount > 0)
    }
  }
}

extension WaitOperation {
  /// Waits after a send that would block.
  ///
  /// The kernel reports an unconnected Unix socket as writable even if the receiver's queue is full
  /// (net/unix/af_unix.c, unix_dgram_poll). If a message with an address is refused more than twice, the call therefore
  /// sleeps instead of polling.
  /// - Parameters:
  ///   - refused: the number of consecutive sends that would block.
  ///   - isAddressed: whether the message has an address.
  @inlinable @inline(__always)
  mutating func block<S: MessageSocket & ~Copyable>(
    on socket: borrowing S, afterRefusals refused: Int, isAddressed: Bool
  ) throws(SocketError) {
    if refused > 2 && isAddressed {
      try pause()
    } else {
      try block(on: socket, for: .writable)
    }
  }
}
