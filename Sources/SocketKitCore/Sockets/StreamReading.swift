extension StreamSocket where Self: ~Copyable {
  /// Reads once, without waiting.
  ///
  /// - Parameter buffer: receives from 1 byte to its length. With an empty buffer the kernel is not called.
  /// - Returns: `.bytes` with the count; `.endOfStream` when the peer has ended its side; nil when there is nothing to
  ///   read now.
  /// - Throws: `.connectionReset`, `.timedOut` (the kernel stopped trying to reach the peer), `.notConnected`,
  ///   `.closed`.
  @inlinable
  public borrowing func read(into buffer: consuming MutableSpan<UInt8>) throws(SocketError) -> ReadOutcome? {
    if buffer.isEmpty { return .bytes(0) }
    var bytes = buffer
    return try attemptReceive(into: &bytes).readOutcome(.read)
  }

  /// Reads at least one byte, and waits on this thread until there is one.
  ///
  /// - Parameters:
  ///   - buffer: receives from 1 byte to its length.
  ///   - limit: how long to wait, and how: ``WaitLimit``.
  /// - Returns: `.bytes`; or `.endOfStream` when the peer sends no more, or ``Socket/shutdown(_:)`` has ended the
  ///   reading direction.
  /// - Throws: `.timedOut`, `.cancelled`, and what ``read(into:)-(MutableSpan<UInt8>)`` throws.
  @inlinable
  public borrowing func read(
    into buffer: consuming MutableSpan<UInt8>, until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    if buffer.isEmpty {
      try limit.checkControl(.read)
      return .bytes(0)
    }
    var bytes = buffer
    return try waiting(for: .readable, .read, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.attemptReceive(into: &bytes).readOutcome(.read)
    }
  }

  /// Reads once, without waiting, and appends to an output span. Use it for buffers that are not initialized yet.
  ///
  /// - Returns: as ``read(into:)-(MutableSpan<UInt8>)``; a span without free capacity reads nothing.
  /// - Throws: as ``read(into:)-(MutableSpan<UInt8>)``.
  @inlinable
  public borrowing func read(into output: inout OutputRawSpan) throws(SocketError) -> ReadOutcome? {
    if output.isFull { return .bytes(0) }
    let result = output.withUnsafeMutableBytes { memory, count in
      let free = UnsafeMutableRawBufferPointer(rebasing: memory[count...]).bindMemory(to: UInt8.self)
      // The new memory is not initialized yet. The kernel or the wrapper writes it before `count` includes it.
      var bytes = MutableSpan<UInt8>(_unsafeElements: free)
      let result = attemptReceive(into: &bytes)
      if result.raw > 0 { count &+= result.raw }
      return result
    }
    return try result.readOutcome(.read)
  }

  @available(*, unavailable, message: "This call waits. Add until:, or call read(into:) for what has arrived.")
  public borrowing func readExactly(into buffer: consuming MutableSpan<UInt8>) throws(SocketError) { fatalError() }

  /// Fills the buffer, and waits as long as necessary.
  ///
  /// - Throws: `.unexpectedEnd` when the stream ends before the buffer is full; otherwise as
  ///   ``read(into:until:)-(MutableSpan<UInt8>,_)``. The error's ``SocketError/transferred`` is the number of bytes
  ///   that were read into the front of the buffer.
  @inlinable
  public borrowing func readExactly(
    into buffer: consuming MutableSpan<UInt8>, until limit: some WaitLimit
  ) throws(SocketError) {
    var done = 0
    var bytes = buffer
    do throws(SocketError) {
      var wait = try WaitOperation(.read, until: limit)
      while done < bytes.count {
        var rest = bytes._mutatingExtracting(droppingFirst: done)
        let result = attemptReceive(into: &rest)
        if result.raw > 0 {
          done &+= result.raw
          if done == bytes.count { return }
          wait.progressed()
          try wait.check()
        } else if result.raw == 0 {
          throw SocketError(code: .unexpectedEnd, .read)
        } else if result.isWouldBlock {
          try wait.block(on: self, for: .readable)
        } else {
          throw SocketError(result, .read)
        }
      }
    } catch {
      if error.code == .shutDown { throw SocketError(code: .unexpectedEnd, .read, transferred: done) }
      throw error.after(transferring: done)
    }
  }
}
