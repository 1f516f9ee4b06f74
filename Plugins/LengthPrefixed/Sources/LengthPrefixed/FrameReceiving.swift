public import SocketKitCore

// The non-blocking calls are always inlined. Otherwise, in a program with several transports, the compiler merges the
// loops of the transports, which differ only in the function that they call, and passes this function as a pointer,
// which makes the call indirect.

extension FramedSocket where Base: ~Copyable {
  /// Whether a whole frame is buffered, so that receiving makes no system call. Also true if the buffered data is not a
  /// valid frame, in which case receiving throws.
  @inlinable public var hasFrame: Bool {
    incoming.count >= 4 && (incoming.length > maximumLength || incoming.count >= 4 &+ incoming.length)
  }

  /// Copies the next frame into a buffer, without blocking.
  ///
  /// - Returns: `.bytes` with the frame's length, 0 for an empty frame; `.endOfStream`, only after a whole frame; nil
  ///   if no whole frame is available now.
  /// - Throws: `.messageTooLarge` if the buffer is shorter than the frame. The frame is not lost: receive it with a
  ///   longer buffer. Otherwise the errors of ``receive(_:)``.
  @inlinable @inline(__always)
  public mutating func receive(into buffer: consuming MutableSpan<UInt8>) throws(SocketError) -> ReadOutcome? {
    switch try awaitFrame() {
    case .bytes(let count):
      if count > buffer.count { throw SocketError(code: .messageTooLarge, .receive) }
      let source = unsafe UnsafeRawBufferPointer(start: incoming.memory + incoming.start + 4, count: count)
      buffer.withUnsafeMutableBytes { unsafe $0.copyMemory(from: source) }
      incoming.drop(4 &+ count)
      return .bytes(count)
    case nil: return nil
    case .endOfStream: return .endOfStream
    }
  }

  /// Passes the next frame to a closure, without blocking and without copying it.
  ///
  /// - Parameter body: receives the frame's bytes. The frame is consumed even if the closure throws.
  /// - Throws: `.messageTooLarge` if the peer announces more than ``maximumLength``, `.unexpectedEnd` if the stream
  ///   ends within a frame. After either error, nothing more can be received. Otherwise the errors of the stream.
  @inlinable @inline(__always)
  public mutating func receive<R>(
    _ body: (Span<UInt8>) throws(SocketError) -> R
  ) throws(SocketError) -> FrameOutcome<R>? {
    switch try awaitFrame() {
    case .bytes(let count):
      let start = incoming.start &+ 4
      // This call changes only counters; the bytes stay in the buffer until the next read call.
      incoming.drop(4 &+ count)
      return .frame(try body(unsafe UnsafeBufferPointer(start: incoming.memory + start, count: count).span))
    case nil: return nil
    case .endOfStream: return .endOfStream
    }
  }

  /// Copies the next frame into a buffer, blocking this thread until a whole frame is available.
  ///
  /// - Throws: `.timedOut`, `.cancelled` (a partially received frame is kept for the next call), and the errors of
  ///   ``receive(into:)``.
  @inlinable
  public mutating func receive(
    into buffer: consuming MutableSpan<UInt8>, until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var wait = try WaitOperation(.receive, until: limit)
    while true {
      switch try awaitFrame() {
      case .bytes:
        if case .bytes(let count) = try receive(into: buffer) { return .bytes(count) }
        return .endOfStream
      case .endOfStream: return .endOfStream
      case nil: try wait.block(on: base, for: .readable)
      }
    }
  }

  /// Reads until a whole frame is at the front of the buffer, and returns its length. Returns nil if the stream would
  /// block first.
  @inlinable @inline(__always)
  mutating func awaitFrame() throws(SocketError) -> ReadOutcome? {
    while true {
      var whole = 4
      if incoming.count >= 4 {
        let length = incoming.length
        if length > maximumLength { throw SocketError(code: .messageTooLarge, .receive) }
        whole = 4 &+ length
        if incoming.count >= whole { return .bytes(length) }
      }
      incoming.makeRoom(for: whole)
      let result = fill()
      if result.raw <= 0 {
        if result.isWouldBlock { return nil }
        if result.raw < 0 { throw SocketError(result, .receive) }
        if incoming.isEmpty { return .endOfStream }
        throw SocketError(code: .unexpectedEnd, .receive)
      }
    }
  }

  @inlinable
  mutating func fill() -> IOResult {
    var free = unsafe UnsafeMutableBufferPointer(
      start: incoming.memory + incoming.end, count: incoming.capacity &- incoming.end
    ).mutableSpan
    let result = base.attemptReceive(into: &free)
    if result.raw > 0 { incoming.end &+= result.raw }
    return result
  }
}
