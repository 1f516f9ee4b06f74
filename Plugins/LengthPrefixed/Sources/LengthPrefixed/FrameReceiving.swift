public import SocketKitCore

// The calls that do not wait are always inlined: where several transports share a program, the compiler merges their
// equal loops, and would pass what still differs, a function that is not inlined, as a pointer: an indirect call.

extension FramedSocket where Base: ~Copyable {
  /// Whether a whole frame is here, so that receiving asks the kernel nothing. True too when what is here is no frame,
  /// and receiving will throw.
  @inlinable public var hasFrame: Bool {
    incoming.count >= 4 && (incoming.length > maximumLength || incoming.count >= 4 &+ incoming.length)
  }

  /// Takes the next frame into a buffer, without waiting.
  ///
  /// - Returns: `.bytes` with the frame's length, 0 for an empty frame; `.endOfStream`, only after a whole frame; nil when
  ///   there is no whole frame now.
  /// - Throws: `.messageTooLarge` when the buffer is shorter than the frame: nothing is lost, take it with a longer
  ///   one. Otherwise as ``receive(_:)``.
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

  /// Takes the next frame where it lies, without waiting and without a copy.
  ///
  /// - Parameter body: gets the frame's bytes. The frame counts as taken even when it throws.
  /// - Throws: `.messageTooLarge` when the peer announces more than ``maximumLength``, `.unexpectedEnd` when the stream
  ///   ends within a frame: nothing more can be received then. Otherwise what the stream throws.
  @inlinable @inline(__always)
  public mutating func receive<R>(
    _ body: (Span<UInt8>) throws(SocketError) -> R
  ) throws(SocketError) -> FrameOutcome<R>? {
    switch try awaitFrame() {
    case .bytes(let count):
      let start = incoming.start &+ 4
      // Only counters move: the bytes stay until the next read.
      incoming.drop(4 &+ count)
      return .frame(try body(unsafe UnsafeBufferPointer(start: incoming.memory + start, count: count).span))
    case nil: return nil
    case .endOfStream: return .endOfStream
    }
  }

  /// Takes the next frame into a buffer, waiting on this thread until a whole one is here.
  ///
  /// - Throws: `.timedOut`, `.cancelled` (what had come of a frame stays for the next call), and as
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
      case nil: try wait.block(on: readSource, for: .readable)
      }
    }
  }

  /// Reads until a whole frame lies at the front; its length.
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
    var free = unsafe UnsafeMutableRawBufferPointer(
      start: incoming.memory + incoming.end, count: incoming.capacity &- incoming.end
    ).mutableBytes
    let result = base.attemptReceive(into: &free)
    if result.raw > 0 { incoming.end &+= result.raw }
    return result
  }
}
