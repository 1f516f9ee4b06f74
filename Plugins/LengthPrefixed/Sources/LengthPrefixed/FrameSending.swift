public import SocketKitCore

extension FramedSocket where Base: ~Copyable {
  /// Whether part of a frame is not sent yet because the stream has no buffer space. If true, watch for writing, then
  /// call ``flush()``.
  @inlinable public var hasUnsent: Bool { !unsent.isEmpty }

  /// Sends a frame without blocking; accepts all of it or nothing.
  ///
  /// The prefix and the bytes are sent in one system call. If the stream accepts only part of the frame, this object
  /// keeps the rest. The next call of ``flush()`` sends the rest, or the next call of this method sends it before the
  /// next frame.
  ///
  /// - Returns: the frame's length if it was accepted; nil if it was not, because part of an earlier frame is still
  ///   unsent or the stream has no buffer space.
  /// - Throws: `.messageTooLarge` if `bytes` is longer than ``maximumLength``; the errors of the stream, after which
  ///   nothing more can be sent.
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

  /// Makes one attempt to send the rest of a frame, of which `done` bytes have been sent. Sends the prefix and the
  /// bytes in one system call.
  @inlinable @inline(__always)
  borrowing func sendFrame(_ bytes: Span<UInt8>, after done: Int) -> IOResult {
    if done >= 4 { return base.attemptSend(bytes.extracting(droppingFirst: done &- 4)) }
    var prefix = UInt32(truncatingIfNeeded: bytes.count).bigEndian
    return withUnsafeBytes(of: &prefix) { prefix in
      bytes.withUnsafeBytes { bytes in
        let first = unsafe IOSegment(UnsafeRawBufferPointer(rebasing: prefix[done...]))
        let segments: InlineArray<2, IOSegment> = unsafe [first, IOSegment(bytes)]
        return unsafe segments.span.withUnsafeBufferPointer { unsafe base.attemptSend(gathering: $0) }
      }
    }
  }

  /// Sends the rest of earlier frames without blocking. Returns true if nothing remains to be sent.
  /// - Throws: the errors of the stream.
  @inlinable @inline(__always)
  public mutating func flush() throws(SocketError) -> Bool {
    while !unsent.isEmpty {
      let rest = unsafe UnsafeBufferPointer(start: unsent.memory + unsent.start, count: unsent.count).span
      guard let count = try base.write(rest), count > 0 else { return false }
      unsent.drop(count)
    }
    return true
  }

  /// Sends a frame, blocking this thread until the stream has accepted all of it.
  ///
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(_:)``. After an error, ``hasUnsent`` is true if part
  ///   of the frame was sent; the rest is kept, and ``flush()`` sends it.
  @inlinable
  public mutating func send(
    _ bytes: Span<UInt8>, until limit: some WaitLimit
  ) throws(SocketError) {
    var wait = try WaitOperation(.send, until: limit)
    while try send(bytes) == nil { try wait.block(on: base, for: .writable) }
    while try !flush() { try wait.block(on: base, for: .writable) }
  }
}
