extension StreamSocket where Self: ~Copyable {
  /// Writes once, without waiting.
  ///
  /// - Parameter bytes: the bytes to write; the kernel may take only a part.
  /// - Returns: the number of bytes taken, 0 only for empty input; nil when the kernel takes none now.
  /// - Throws: `.brokenPipe` when the peer no longer reads (SIGPIPE is never raised); `.connectionReset`;
  ///   `.notConnected`.
  @inlinable
  public borrowing func write(_ bytes: Span<UInt8>) throws(SocketError) -> Int? {
    if bytes.isEmpty { return 0 }
    return try attemptSend(bytes).count(.write)
  }

  /// Writes at least one byte, and waits on this thread until the kernel takes one.
  ///
  /// - Parameter limit: how long to wait, and how: ``WaitLimit``.
  /// - Returns: the number of bytes taken: at least 1, or 0 when `bytes` is empty.
  /// - Throws: `.timedOut`, `.cancelled`, and what ``write(_:)`` throws.
  @inlinable
  public borrowing func write(_ bytes: Span<UInt8>, until limit: some WaitLimit) throws(SocketError) -> Int {
    try waiting(for: .writable, .write, until: limit) { (socket) throws(SocketError) in try socket.write(bytes) }
  }

  @available(*, unavailable, message: "This call waits. Add until:, or call write(_:) for what the kernel takes now.")
  public borrowing func writeAll(_ bytes: Span<UInt8>) throws(SocketError) { fatalError() }

  /// Writes all the bytes, and waits as long as necessary.
  ///
  /// - Throws: as ``write(_:until:)``. The error's ``SocketError/transferred`` is the number of bytes that the kernel
  ///   took before the error.
  @inlinable
  public borrowing func writeAll(_ bytes: Span<UInt8>, until limit: some WaitLimit) throws(SocketError) {
    var done = 0
    do throws(SocketError) {
      var wait = try WaitOperation(.write, until: limit)
      while done < bytes.count {
        let result = attemptSend(bytes.extracting(droppingFirst: done))
        if result.raw >= 0 {
          done &+= result.raw
          if done == bytes.count { return }
          wait.progressed()
          try wait.check()
        } else if result.isWouldBlock {
          try wait.block(on: self, for: .writable)
        } else {
          throw SocketError(result, .write)
        }
      }
    } catch {
      throw error.after(transferring: done)
    }
  }
}
