public import SocketKitCore

extension FramedSocket where Base: ~Copyable {
  /// Whether the end of a frame still waits for room in the stream: watch for writing, then ``flush()``.
  @inlinable public var hasUnsent: Bool { !unsent.isEmpty }

  /// Sends a frame, without waiting: all of it or nothing.
  ///
  /// Prefix and bytes go in one system call. Where the stream takes only a part, the rest is kept, and goes with the next
  /// ``flush()`` or before the next frame.
  ///
  /// - Returns: `.bytes` with the count when the frame was taken; `.wouldBlock` when it was not: an earlier one's rest is
  ///   still here, or the stream has no room at all.
  /// - Throws: `.messageTooLarge` above ``maximumLength``; what the stream throws, after which nothing more can be sent.
  @inlinable
  public mutating func send(_ bytes: Span<UInt8>) throws(SocketError) -> IOOutcome {
    if bytes.count > maximumLength { throw SocketError(code: .messageTooLarge, .send) }
    if !unsent.isEmpty, try !flush() { return .wouldBlock }
    var prefix = UInt32(truncatingIfNeeded: bytes.count).bigEndian
    return try withUnsafeBytes(of: &prefix) { (memory) throws(SocketError) -> IOOutcome in
      try sendWhole(unsafe memory.assumingMemoryBound(to: UInt8.self).span, bytes)
    }
  }

  @inlinable
  mutating func sendWhole(_ prefix: Span<UInt8>, _ bytes: Span<UInt8>) throws(SocketError) -> IOOutcome {
    var done = 0
    while done < 4 &+ bytes.count {
      let outcome =
        done < 4
        ? try base.write(gathering: prefix.extracting(droppingFirst: done), bytes)
        : try base.write(bytes.extracting(droppingFirst: done &- 4))
      guard case .bytes(let count) = outcome, count > 0 else {
        if done == 0 { return .wouldBlock }
        if done < 4 { unsent.append(prefix.extracting(droppingFirst: done)) }
        unsent.append(bytes.extracting(droppingFirst: done < 4 ? 0 : done &- 4))
        break
      }
      done &+= count
    }
    return .bytes(bytes.count)
  }

  /// Sends what earlier frames left, without waiting. True when nothing is left.
  /// - Throws: what the stream throws.
  @inlinable
  public mutating func flush() throws(SocketError) -> Bool {
    while !unsent.isEmpty {
      let rest = unsafe UnsafeBufferPointer(start: unsent.memory + unsent.start, count: unsent.count).span
      guard case .bytes(let count) = try base.write(rest), count > 0 else { return false }
      unsent.drop(count)
    }
    return true
  }

  /// Sends a frame, waiting on this thread until the stream has taken all of it.
  ///
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:)``. Afterwards ``hasUnsent`` tells whether the frame was begun:
  ///   its rest is kept, and ``flush()`` goes on with it.
  @inlinable
  public mutating func send(
    _ bytes: Span<UInt8>, until deadline: Deadline, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) {
    var wait = try WaitOperation(.send, until: deadline, strategy: strategy, control: control)
    while case .wouldBlock = try send(bytes) { try wait.block(on: writeSource, for: .writable) }
    while try !flush() { try wait.block(on: writeSource, for: .writable) }
  }
}
