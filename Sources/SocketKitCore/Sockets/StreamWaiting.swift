extension StreamSocket where Self: ~Copyable {
  /// Reads at least one byte, waiting on this thread until there is one.
  ///
  /// - Parameters:
  ///   - buffer: receives from 1 byte to its length.
  ///   - deadline: when to give up. One that has passed fails before anything is read.
  ///   - strategy: how to wait: ``WaitStrategy``.
  ///   - control: lets other threads cancel this wait or change its deadline.
  /// - Returns: `.bytes`, or `.endOfStream`: the peer sends no more, or ``Socket/shutdown(_:)`` has ended the reading.
  /// - Throws: `.timedOut`, `.cancelled`, and what ``read(into:)-(MutableSpan<UInt8>)`` throws.
  @inlinable
  public borrowing func read(
    into buffer: consuming MutableSpan<UInt8>, until deadline: Deadline, strategy: some WaitStrategy = .park,
    control: WaitControl? = nil
  ) throws(SocketError) -> ReadOutcome {
    var wait = try WaitOperation(.read, until: deadline, strategy: strategy, control: control)
    if buffer.isEmpty { return .bytes(0) }
    var bytes = buffer.mutableBytes
    while true {
      let result = attemptReceive(into: &bytes)
      if result.raw > 0 { return .bytes(result.raw) }
      if result.raw == 0 { return .endOfStream }
      if !result.isWouldBlock { throw SocketError(result, .read) }
      if try !wait.blockUnlessEnded(on: readSource, for: .readable) { return .endOfStream }
    }
  }

  /// Fills the buffer, waiting as long as that takes.
  ///
  /// - Throws: `.unexpectedEnd` when the stream ends before; otherwise as ``read(into:until:strategy:control:)``. The
  ///   error's ``SocketError/transferred`` tells how many bytes at the front of the buffer are filled.
  @inlinable
  public borrowing func readExactly(
    into buffer: consuming MutableSpan<UInt8>, until deadline: Deadline, strategy: some WaitStrategy = .park,
    control: WaitControl? = nil
  ) throws(SocketError) {
    var wait = try WaitOperation(.read, until: deadline, strategy: strategy, control: control)
    var done = 0
    var bytes = buffer.mutableBytes
    while done < bytes.byteCount {
      var rest = bytes._mutatingExtracting(droppingFirst: done)
      let result = attemptReceive(into: &rest)
      if result.raw > 0 {
        done &+= result.raw
        wait.progressed()
      } else if result.raw == 0 {
        throw SocketError(code: .unexpectedEnd, .read, transferred: done)
      } else if result.isWouldBlock {
        do throws(SocketError) {
          if try wait.blockUnlessEnded(on: readSource, for: .readable) { continue }
        } catch {
          throw error.after(transferring: done)
        }
        throw SocketError(code: .unexpectedEnd, .read, transferred: done)
      } else {
        throw SocketError(result, .read).after(transferring: done)
      }
    }
  }

  /// Writes at least one byte, waiting on this thread until the kernel takes one.
  ///
  /// - Returns: the bytes taken: at least 1, or 0 when `bytes` is empty.
  /// - Throws: `.timedOut`, `.cancelled`, and what ``write(_:)`` throws.
  @inlinable
  public borrowing func write(
    _ bytes: Span<UInt8>, until deadline: Deadline, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.write, until: deadline, strategy: strategy, control: control)
    if bytes.isEmpty { return 0 }
    while true {
      let result = attemptSend(bytes.bytes)
      if result.raw >= 0 { return result.raw }
      if !result.isWouldBlock { throw SocketError(result, .write) }
      try wait.block(on: writeSource, for: .writable)
    }
  }

  /// Writes all the bytes, waiting as long as that takes.
  ///
  /// - Throws: as ``write(_:until:strategy:control:)``. The error's ``SocketError/transferred`` tells how many bytes the
  ///   kernel had taken before.
  @inlinable
  public borrowing func writeAll(
    _ bytes: Span<UInt8>, until deadline: Deadline, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) {
    var wait = try WaitOperation(.write, until: deadline, strategy: strategy, control: control)
    var done = 0
    while done < bytes.count {
      let result = attemptSend(bytes.extracting(droppingFirst: done).bytes)
      if result.raw >= 0 {
        done &+= result.raw
        wait.progressed()
      } else if result.isWouldBlock {
        do throws(SocketError) {
          try wait.block(on: writeSource, for: .writable)
        } catch {
          throw error.after(transferring: done)
        }
      } else {
        throw SocketError(result, .write).after(transferring: done)
      }
    }
  }
}
