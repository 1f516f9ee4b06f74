import Glibc
import SocketKit
import TestSupport
import Testing

/// Flags of single reads and writes on streams of the kernel.
@Suite(.exclusive) struct StreamFlagTests {
  private let soon = Deadline.after(.seconds(5))

  private func tcp() throws -> SocketPair<TCPSocket> { try TCPSocket.pair(until: soon) }

  private func peek<S: StreamSocket & KernelSocket & ~Copyable>(_ pair: borrowing SocketPair<S>) throws {
    var bytes = [UInt8](repeating: 0, count: 4)
    #expect(try pair.second.read(into: bytes.mutableSpan, flags: .peek) == nil)
    #expect(code { _ = try pair.second.read(into: bytes.mutableSpan, flags: .peek, until: .past) } == .timedOut)
    try pair.first.writeAll([1, 2, 3].span, until: soon)
    for _ in 0..<2 {
      #expect(try pair.second.read(into: bytes.mutableSpan, flags: .peek, until: soon) == .bytes(3))
      #expect(bytes == [1, 2, 3, 0])
    }
    #expect(try pair.second.read(into: bytes.mutableSpan) == .bytes(3))
    #expect(try pair.second.read(into: bytes.mutableSpan, flags: .peek) == nil)
    var none: [UInt8] = []
    #expect(try pair.second.read(into: none.mutableSpan, flags: .peek) == .bytes(0))
    try pair.first.shutdown(.write)
    #expect(try pair.second.read(into: bytes.mutableSpan, flags: .peek, until: soon) == .endOfStream)
    #expect(try pair.second.read(into: bytes.mutableSpan, flags: .peek) == .endOfStream)
  }

  @Test func peekingLeavesTheBytesThere() throws {
    try peek(tcp())
    try peek(UnixStreamSocket.pair())
  }

  private func urgent<S: StreamSocket & KernelSocket & ~Copyable & Sendable>(
    _ pair: consuming SocketPair<S>
  ) throws {
    try pair.split { first, second in
      let (near, far) = (Shared(first), Shared(second))
      var bytes = [UInt8](repeating: 0, count: 4)
      #expect(try far.value.read(into: bytes.mutableSpan, flags: .outOfBand) == nil)
      #expect(
        code { _ = try far.value.read(into: bytes.mutableSpan, flags: .outOfBand, until: .after(.milliseconds(20))) }
          == .timedOut)
      // Ordinary bytes are no urgent data.
      try near.value.writeAll([1, 2].span, until: soon)
      #expect(try far.value.read(into: bytes.mutableSpan, flags: .outOfBand) == nil)
      let reader = ThreadResult { () -> (ReadOutcome?, UInt8) in
        var byte: [UInt8] = [0]
        let outcome = try? far.value.read(into: byte.mutableSpan, flags: .outOfBand, until: .after(.seconds(5)))
        return (outcome, byte[0])
      }
      sleep(milliseconds: 10)
      let began = milliseconds()
      #expect(try near.value.write([3, 4].span, flags: .outOfBand) == 2)
      let (outcome, byte) = reader.join()
      #expect(outcome == .bytes(1) && byte == 4 && milliseconds() - began < 1000)
      // The urgent byte is not in the stream.
      var rest = [UInt8](repeating: 0, count: 3)
      try far.value.readExactly(into: rest.mutableSpan, until: soon)
      #expect(rest == [1, 2, 3])
      #expect(try far.value.read(into: bytes.mutableSpan) == nil)
      #expect(try near.value.write([5].span, flags: .outOfBand, until: soon) == 1)
      #expect(try far.value.read(into: bytes.mutableSpan, flags: .outOfBand, until: soon) == .bytes(1))
      #expect(bytes[0] == 5)
      try near.value.shutdown(.write)
      #expect(try far.value.read(into: bytes.mutableSpan, flags: .outOfBand, until: soon) == .endOfStream)
    }
  }

  @Test func urgentDataGoesBesideTheStream() throws {
    try urgent(tcp())
    try urgent(UnixStreamSocket.pair())
  }

  @Test func moreHoldsBytesBack() throws {
    let pair = try tcp()
    try pair.first.setOption(.noDelay, to: true)
    #expect(try pair.first.write([1].span, flags: .more) == 1)
    #expect(try pair.first.option(.queuedOutputBytes) == 1)
    var bytes = [UInt8](repeating: 0, count: 4)
    #expect(
      code { _ = try pair.second.read(into: bytes.mutableSpan, until: .after(.milliseconds(50))) } == .timedOut)
    #expect(try pair.first.write([2].span, flags: .more, until: soon) == 1)
    #expect(try pair.first.write([3].span) == 1)
    // One segment with everything.
    #expect(try pair.second.read(into: bytes.mutableSpan, until: soon) == .bytes(3))
    #expect(bytes == [1, 2, 3, 0])
    #expect(try pair.first.option(.tcpInfo).dataSegmentsOut == 1)
  }

  @Test func aWriteThatDoesNotRouteReachesThisMachine() throws {
    let pair = try tcp()
    #expect(try pair.first.write([1].span, flags: .doNotRoute) == 1)
    var byte: [UInt8] = [0]
    #expect(try pair.second.read(into: byte.mutableSpan, until: soon) == .bytes(1) && byte == [1])
  }

  @Test func aWaitingWriteWithFlagsWaits() throws {
    let pair = try UnixStreamSocket.pair()
    let bytes = [UInt8](repeating: 1, count: 65536)
    while try pair.first.write(bytes.span, flags: []) != nil {}
    #expect(code { _ = try pair.first.write(bytes.span, flags: [], until: .after(.milliseconds(10))) } == .timedOut)
    #expect(try pair.first.write(Span(), flags: [], until: .past) == 0)
  }

  @Test func flagsThatAreNotForStreamsAreRefused() throws {
    let pair = try tcp()
    var byte: [UInt8] = [0]
    #expect(code { _ = try pair.first.read(into: byte.mutableSpan, flags: .errorQueue) } == .invalidArgument)
    #expect(code { _ = try pair.first.write(byte.span, flags: .zeroCopy) } == .invalidArgument)
    try pair.second.shutdown(.both)
    try pair.first.shutdown(.both)
    #expect(code { _ = try pair.first.write(byte.span, flags: .more) } == .brokenPipe)
    let pipe = try Pipe()
    try pipe.split { reading, writing in
      let stream = try DescriptorStream(adopting: writing)
      #expect(code { _ = try stream.write(byte.span, flags: .more) } == .notASocket)
      _ = consume reading
    }
  }

  private func code(_ body: () throws -> Void) -> SocketError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? SocketError)?.code
    }
  }
}
