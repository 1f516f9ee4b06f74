public import SocketKitCore

extension FramedSocket where Base: ~Copyable {
  /// Whether the end of a frame still waits for room in the stream: watch for writing, then ``flush()``.
  @inlinable public var hasUnsent: Bool { !unsent.isEmpty }

  /// Sends a frame, without waiting: all of it or nothing.
  ///
  /// Prefix and bytes go in one system call. Where the stream takes only a part, the rest is kept, and goes with the
  /// next ``flush()`` or before the next frame.
  ///
  /// - Returns: the frame's length when it was taken; nil when it was not: an earlier one's rest is still here, or the
  ///   stream has no room at all.
  /// - Throws: `.messageTooLarge` above ``maximumLength``; what the stream throws, after which nothing more can be
  ///   sent.
  @inlinable @inline(__always)
  public mutating func send(_ bytes: Span<UInt8>) throws(SocketError) -> Int? {
    if bytes.count > maximumLength { throw SocketError(code: .messageTooLarge, .send) }
    if !unsent.isEmpty, try !flush() { return nil }
    var done = 0
    while done < 4 &+ bytes.count {
      let result = sendFrame(bytes, after: done)
      if result.raw > 0 {
        done &+= result.raw
      } else if result.raw == 0 || result.isWouldBlock {
        if done == 0 { return nil }
        unsent.append(frame: bytes, after: done)
        break
      } else {
        throw SocketError(result, .send)
      }
    }
    return bytes.count
  }

  /// Sends once what a frame still lacks, of which `done` bytes went before: prefix and bytes in one system call.
  @inlinable @inline(__always)
  borrowing func sendFrame(_ bytes: Span<UInt8>, after done: Int) -> IOResult {
    if done >= 4 { return base.attemptSend(bytes.extracting(droppingFirst: done &- 4).bytes) }
    var prefix = UInt32(truncatingIfNeeded: bytes.count).bigEndian
    return withUnsafeBytes(of: &prefix) { prefix in
      bytes.withUnsafeBytes { bytes in
        let first = unsafe IOSegment(UnsafeRawBufferPointer(rebasing: prefix[done...]))
        let segments: InlineArray<2, IOSegment> = unsafe [first, IOSegment(bytes)]
        return unsafe segments.span.withUnsafeBufferPointer { unsafe base.attemptSend(gathering: $0) }
      }
    }
  }

  /// Sends what earlier frames left, without waiting. True when nothing is left.
  /// - Throws: what the stream throws.
  @inlinable @inline(__always)
  public mutating func flush() throws(SocketError) -> Bool {
    while !unsent.isEmpty {
      let rest = unsafe UnsafeBufferPointer(start: unsent.memory + unsent.start, count: unsent.count).span
      guard let count = try base.write(rest), count > 0 else { return false }
      unsent.drop(count)
    }
    return true
  }

  /// Sends a frame, waiting on this thread until the stream has taken all of it.
  ///
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:)``. Afterwards ``hasUnsent`` tells whether the frame was
  ///   begun: its rest is kept, and ``flush()`` goes on with it.
  @inlinable
  public mutating func send(
    _ bytes: Span<UInt8>, until limit: some WaitLimit
  ) throws(SocketError) {
    var wait = try WaitOperation(.send, until: limit)
    while try send(bytes) == nil { try wait.block(on: writeSource, for: .writable) }
    while try !flush() { try wait.block(on: writeSource, for: .writable) }
  }
}
