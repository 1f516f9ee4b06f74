internal import Glibc
internal import SocketKit

/// Frames over a stream: buffered reads, hello first, every wait within the limits.
struct FrameChannel<S: StreamSocket & ~Copyable>: ~Copyable {
  private let socket: S
  let limits: TransferLimits
  private let role: VerifyRole
  private var input: [UInt8]
  private var start = 0
  private var end = 0
  /// Bytes of a data frame that have not been handed out.
  private var dataLeft = 0

  /// What comes next.
  enum Incoming: Equatable {
    case frame(Frame)
    /// So many bytes of a file, at least one: take them with ``withData(_:_:)``.
    case data(Int)
  }

  init(_ socket: consuming S, role: VerifyRole, limits: TransferLimits) {
    self.socket = socket
    self.role = role
    self.limits = limits
    input = [UInt8](repeating: 0, count: transferBufferSize)
  }

  /// Says who this is, and hears who the other end is.
  mutating func greet() throws {
    let hello = role.hello
    do throws(SocketError) {
      try socket.writeAll(hello.span, within: limits)
    } catch {
      // One who sent something and went: what that was says more.
      guard error.code == .brokenPipe || error.code == .connectionReset else { throw error }
    }
    // As soon as something is wrong: who speaks another protocol may never send eight bytes.
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

  /// Waits for a frame, or for bytes of one.
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

  /// The next frame that means something.
  mutating func nextFrame(while moment: String) throws -> Frame {
    while true {
      switch try next() {
      case .data: throw VerifyError.unexpected(.data, while: moment)
      case .frame(.wait): continue
      case .frame(let frame): return frame
      }
    }
  }

  /// Hands out bytes that ``next()`` announced.
  mutating func withData(_ count: Int, _ body: (RawSpan) throws -> Void) rethrows {
    let range = start..<start + count
    start += count
    dataLeft -= count
    try body(input.span.bytes.extracting(range))
  }

  /// Whether something has come, without waiting for it.
  mutating func hasInput() throws -> Bool {
    if start < end { return true }
    (start, end) = (0, 0)
    // Out of the way: a span of a property would forbid the use of another one.
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

  /// For waiting for a file, and for input as well.
  var watchedForInput: pollfd { pollfd(fd: socket.readSource.value, events: Int16(POLLIN), revents: 0) }

  borrowing func send(_ frame: Frame) throws {
    let bytes = frame.bytes
    try socket.writeAll(bytes.span, within: limits)
  }

  /// Sends a data frame. The buffer holds room for the header, then the bytes.
  borrowing func sendData(_ buffer: inout [UInt8], count: Int) throws {
    buffer.replaceSubrange(0..<FrameHeader.byteCount, with: FrameHeader(.data, length: count).bytes)
    try socket.writeAll(buffer.span.extracting(first: FrameHeader.byteCount + count), within: limits)
  }

  /// Waits a moment for the other end to close, so that closing here cannot cut off what is on its way to it.
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

  /// Reads until the buffer holds so many bytes.
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
