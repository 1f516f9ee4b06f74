internal import Glibc
internal import SocketKit

/// Sends and receives frames over a stream. Reads are buffered, both ends first exchange a hello, and every wait is
/// subject to the limits.
struct FrameChannel<S: StreamSocket & ~Copyable>: ~Copyable {
  private let socket: S
  let limits: TransferLimits
  private let role: VerifyRole
  private var input: [UInt8]
  private var start = 0
  private var end = 0
  /// The number of bytes of the current data frame that have not been delivered.
  private var dataLeft = 0

  /// The next input.
  enum Incoming: Equatable {
    case frame(Frame)
    /// The number of available bytes of a file, at least one. Read the bytes with ``withData(_:_:)``.
    case data(Int)
  }

  init(_ socket: consuming S, role: VerifyRole, limits: TransferLimits) {
    self.socket = socket
    self.role = role
    self.limits = limits
    input = [UInt8](repeating: 0, count: transferBufferSize)
  }

  /// Sends this end's hello, and validates the peer's hello.
  mutating func greet() throws {
    let hello = role.hello
    do throws(SocketError) {
      try socket.writeAll(hello.span, within: limits)
    } catch {
      // The peer may have sent data and closed. That data explains the failure better than this error.
      guard error.code == .brokenPipe || error.code == .connectionReset else { throw error }
    }
    // Compare byte by byte, because a peer that uses another protocol may never send eight bytes.
    var count = 1
    while count <= VerifyRole.magic.count {
      try fill(to: count)
      guard input[start..<start + count].elementsEqual(VerifyRole.magic.prefix(count)) else {
        throw VerifyError.notTheProtocol
      }
      count += 1
    }
    try fill(to: VerifyRole.helloCount)
    try role.check(Array(input[start..<start + VerifyRole.helloCount]))
    start += VerifyRole.helloCount
  }

  /// Waits for a frame, or for bytes of a data frame.
  mutating func next() throws -> Incoming {
    if dataLeft == 0 {
      try fill(to: FrameHeader.byteCount)
      let header = try FrameHeader(parsing: input[start..<start + FrameHeader.byteCount])
      start += FrameHeader.byteCount
      guard header.kind == .data else {
        try fill(to: header.length)
        let frame = try Frame(header.kind, parsing: input[start..<start + header.length])
        start += header.length
        return .frame(frame)
      }
      dataLeft = header.length
    }
    try fill(to: 1)
    return .data(min(dataLeft, end - start))
  }

  /// Returns the next frame that is not "wait".
  mutating func nextFrame(while moment: String) throws -> Frame {
    while true {
      switch try next() {
      case .data: throw VerifyError.unexpected(.data, while: moment)
      case .frame(.wait): continue
      case .frame(let frame): return frame
      }
    }
  }

  /// Passes bytes announced by ``next()`` to `body`.
  mutating func withData(_ count: Int, _ body: (Span<UInt8>) throws -> Void) rethrows {
    let range = start..<start + count
    start += count
    dataLeft -= count
    try body(input.span.extracting(range))
  }

  /// Returns whether input is available, without waiting for it.
  mutating func hasInput() throws -> Bool {
    if start < end { return true }
    (start, end) = (0, 0)
    // Move the buffer out of `self`: while a span of one property exists, no other property can be used.
    var buffer = [UInt8]()
    swap(&buffer, &input)
    defer { swap(&buffer, &input) }
    switch try socket.read(into: buffer.mutableSpan) {
    case .bytes(let count):
      end = count
      return true
    case nil: return false
    case .endOfStream: throw VerifyError.endedEarly
    }
  }

  /// A poll(2) entry that watches the socket for input, so that one poll(2) call can wait for the socket and a file.
  var watchedForInput: pollfd { pollfd(fd: socket.readSource.value, events: Int16(POLLIN), revents: 0) }

  borrowing func send(_ frame: Frame) throws {
    let bytes = frame.bytes
    try socket.writeAll(bytes.span, within: limits)
  }

  /// Sends a data frame. The buffer contains space for the header, followed by the data.
  borrowing func sendData(_ buffer: inout [UInt8], count: Int) throws {
    buffer.replaceSubrange(0..<FrameHeader.byteCount, with: FrameHeader(.data, length: count).bytes)
    try socket.writeAll(buffer.span.extracting(first: FrameHeader.byteCount + count), within: limits)
  }

  /// Discards input until the peer closes or the deadline passes, so that closing this end does not discard data in
  /// flight to the peer.
  borrowing func waitForEnd(until deadline: Deadline) {
    var isOpen = true
    var scraps = [UInt8](repeating: 0, count: 256)
    while isOpen && !deadline.hasPassed {
      do throws(SocketError) {
        isOpen = try socket.read(into: scraps.mutableSpan, until: deadline) != .endOfStream
      } catch {
        isOpen = false
      }
    }
  }

  /// Reads until the buffer holds at least `count` bytes.
  private mutating func fill(to count: Int) throws {
    if start == end { (start, end) = (0, 0) }
    if start + count > input.count {
      input.replaceSubrange(0..<end - start, with: Array(input[start..<end]))
      (start, end) = (0, end - start)
    }
    if end - start >= count { return }
    var buffer = [UInt8]()
    swap(&buffer, &input)
    defer { swap(&buffer, &input) }
    var target = buffer.mutableSpan
    while end - start < count {
      try limits.total.check(.read)
      switch try socket.read(into: target._mutatingExtracting(droppingFirst: end), until: limits.next) {
      case .bytes(let count): end += count
      case .endOfStream: throw VerifyError.endedEarly
      }
    }
  }
}
