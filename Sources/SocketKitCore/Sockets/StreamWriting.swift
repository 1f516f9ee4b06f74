extension StreamSocket where Self: ~Copyable {
  /// Writes once, without waiting.
  ///
  /// - Parameter bytes: the bytes to write. The write may be partial.
  /// - Returns: the number of bytes written (0 only if `bytes` is empty), or nil if the write would block.
  /// - Throws: `.brokenPipe` if the peer no longer reads (the call never raises SIGPIPE); `.connectionReset`;
  ///   `.notConnected`.
  @inlinable
  public borrowing func write(_ bytes: Span<UInt8>) throws(SocketError) -> Int? {
    if bytes.isEmpty { return 0 }
    return try attemptSend(bytes).count(.write)
  }

  /// Writes at least one byte, and blocks the calling thread until the kernel accepts a byte.
  ///
  /// - Parameter limit: how long and in which way to wait: ``WaitLimit``.
  /// - Returns: the number of bytes written, which is at least 1, or 0 if `bytes` is empty.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``write(_:)``.
  @inlinable
  public borrowing func write(_ bytes: Span<UInt8>, until limit: some WaitLimit) throws(SocketError) -> Int {
    try waiting(for: .writable, .write, until: limit) { (socket) throws(SocketError) in try socket.write(bytes) }
  }

  @available(*, unavailable, message: "This call waits. Add until:, or call write(_:) to write without waiting.")
  public borrowing func writeAll(_ bytes: Span<UInt8>) throws(SocketError) { fatalError() }

  /// Writes all bytes, and waits as long as necessary.
  ///
  /// - Throws: as ``write(_:until:)``. ``SocketError/transferred`` of the error is the number of bytes that were
  ///   written before the error.
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
