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
      // The kernel reports an unconnected Unix socket as writable even if the receiver's queue is full
      // (net/unix/af_unix.c, unix_dgram_poll), so the call sleeps instead of polling.
      refused &+= 1
      if refused > 2 && receiver.byteCount > 0 {
        try wait.pause()
      } else {
        try wait.block(on: self, for: .writable)
      }
    }
  }
}
