extension StreamSocket where Self: ~Copyable {
  /// Reads once, without waiting.
  ///
  /// - Parameter buffer: the buffer for the bytes. With an empty buffer, this method does not make a system call.
  /// - Returns: `.bytes` with the count; `.endOfStream` if the peer has closed the connection or shut down its sending
  ///   side; or nil if the read would block.
  /// - Throws: `.connectionReset`, `.timedOut` (a timer of the kernel expired, for example because the peer is
  ///   unreachable), `.notConnected`, `.closed`.
  @inlinable
  public borrowing func read(into buffer: consuming MutableSpan<UInt8>) throws(SocketError) -> ReadOutcome? {
    if buffer.isEmpty { return .bytes(0) }
    var bytes = buffer
    return try attemptReceive(into: &bytes).readOutcome(.read)
  }

  /// Reads at least one byte, and blocks the calling thread until a byte arrives.
  ///
  /// - Parameters:
  ///   - buffer: the buffer for the bytes.
  ///   - limit: how long and in which way to wait: ``WaitLimit``.
  /// - Returns: `.bytes`, or `.endOfStream` if the peer or ``Socket/shutdown(_:)`` has ended the receiving direction.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``read(into:)-(MutableSpan<UInt8>)``.
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

  /// Reads once, without waiting, and appends the bytes to an output span. Use this method for buffers that are not
  /// initialized yet.
  ///
  /// - Returns: as ``read(into:)-(MutableSpan<UInt8>)``. If the span has no free capacity, the result is `.bytes(0)`.
  /// - Throws: as ``read(into:)-(MutableSpan<UInt8>)``.
  @inlinable
  public borrowing func read(into output: inout OutputRawSpan) throws(SocketError) -> ReadOutcome? {
    if output.isFull { return .bytes(0) }
    let result = unsafe output.withUnsafeMutableBytes { memory, count in
      // The free memory is not initialized yet. A socket must write as many bytes as it reports:
      // ``StreamSocket/attemptReceive(into:)``. `count` includes only these bytes.
      var bytes = unsafe MutableSpan<UInt8>(_unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
      let result = attemptReceive(into: &bytes)
      if result.raw > 0 { count &+= result.raw }
      return result
    }
    return try result.readOutcome(.read)
  }

  @available(*, unavailable, message: "This call waits. Add until:, or call read(into:) to read without waiting.")
  public borrowing func readExactly(into buffer: consuming MutableSpan<UInt8>) throws(SocketError) { fatalError() }

  /// Fills the buffer, and waits as long as necessary.
  ///
  /// - Throws: `.unexpectedEnd` if the stream ends before the buffer is full; otherwise as
  ///   ``read(into:until:)-(MutableSpan<UInt8>,_)``. ``SocketError/transferred`` of the error is the number of bytes
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
