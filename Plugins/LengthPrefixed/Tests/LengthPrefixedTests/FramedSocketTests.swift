import LengthPrefixed
import SocketKitConformance
import SocketKitCore
import SocketKitIP
import SocketKitTCP
import SocketKitUnix
import Testing

private let limit = Duration.seconds(5)

extension OneAtATime.FramedSocketTests {
  func text(_ length: Int, seed: Int = 0) -> [UInt8] { (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) } }

  @Test func boundariesAreKept() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      var sender = FramedSocket(a)
      var receiver = FramedSocket(b)
      let lengths = [1, 0, 64, 4096, 65536, 3]
      var buffer = [UInt8](repeating: 0, count: 65536)
      for length in lengths {
        #expect(try sender.send(text(length).span) == length)
        #expect(sender.hasUnsent == false)
        #expect(try receiver.receive(into: buffer.mutableSpan) == .bytes(length))
        #expect(Array(buffer[0..<length]) == text(length))
      }
      #expect(try receiver.receive(into: buffer.mutableSpan) == nil)
      try sender.shutdown(.write)
      #expect(try receiver.receive(into: buffer.mutableSpan) == .endOfStream)
    }
  }

  @Test func severalFramesComeWithOneRead() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      var sender = FramedSocket(a)
      var receiver = FramedSocket(MeteredSocket(b))
      for length in [5, 0, 7] { _ = try sender.send(text(length).span) }
      #expect(receiver.hasFrame == false)
      #expect(try receiver.receive { $0.count } == .frame(5))
      #expect(receiver.withBase { $0.received } == 24)
      #expect(receiver.hasFrame == true)
      #expect(try receiver.receive { $0.count } == .frame(0))
      #expect(receiver.hasFrame == true)
      #expect(try receiver.receive { $0[6] } == .frame(42))
      #expect(receiver.hasFrame == false)
    }
  }

  @Test(arguments: [1, 2, 3, 5, 67])
  func anyCutIsPutTogether(step: Int) throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      var sender = FramedSocket(DripSocket(a, most: step), maximumLength: 5000)
      var receiver = FramedSocket(DripSocket(b, most: step), maximumLength: 5000)
      var buffer = [UInt8](repeating: 0, count: 5000)
      // Frames of 5000 bytes do not end at the end of the buffer, so the remaining bytes must be moved to the front.
      for round in 0..<40 {
        let frame = text([64, 5000, 0, 1, 4093][round % 5], seed: round)
        while case nil = try sender.send(frame.span) {}
        // Alternate between receiving and sending, because a stream has buffer space for only a few tiny pieces.
        var outcome = try receiver.receive(into: buffer.mutableSpan)
        while outcome == nil {
          _ = try sender.flush()
          outcome = try receiver.receive(into: buffer.mutableSpan)
        }
        #expect(outcome == .bytes(frame.count))
        #expect(Array(buffer[0..<frame.count]) == frame)
      }
    }
  }

  @Test func whatTheStreamDoesNotTakeIsKept() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      try a.setOption(.sendBuffer, to: 16384)
      var sender = FramedSocket(a, maximumLength: 100_000)
      var receiver = FramedSocket(b, maximumLength: 100_000)
      var buffer = [UInt8](repeating: 0, count: 100_000)
      #expect(try sender.send(text(100_000).span) == 100_000)
      #expect(sender.hasUnsent == true)
      #expect(try sender.send(text(1).span) == nil)
      var outcome = try receiver.receive(into: buffer.mutableSpan)
      while outcome == nil {
        _ = try sender.flush()
        outcome = try receiver.receive(into: buffer.mutableSpan)
      }
      #expect(outcome == .bytes(100_000))
      #expect(buffer == text(100_000))
      #expect(try sender.flush())
      #expect(try sender.send(text(1).span) == 1)
      #expect(try receiver.receive(into: buffer.mutableSpan) == .bytes(1))
    }
  }

  @Test func aShortBufferLosesNothing() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      var sender = FramedSocket(a)
      var receiver = FramedSocket(b)
      _ = try sender.send(text(10).span)
      var short = [UInt8](repeating: 0, count: 9)
      var long = [UInt8](repeating: 0, count: 10)
      #expect(code { () throws(SocketError) in _ = try receiver.receive(into: short.mutableSpan) } == .messageTooLarge)
      #expect(try receiver.receive(into: long.mutableSpan) == .bytes(10))
    }
  }

  @Test func brokenStreamsAreReported() throws {
    let limits = FramePlan(maximumLength: 100)
    for (bytes, expected) in [
      ([0, 0, 0, 101] as [UInt8], SocketError.Code.messageTooLarge), ([255, 255, 255, 255], .messageTooLarge),
      ([0, 0, 0, 2, 1], .unexpectedEnd), ([0, 0, 0], .unexpectedEnd),
    ] {
      let pair = try UnixStreamSocket.pair()
      try pair.split { (a, b) throws(SocketError) in
        var receiver = FramedSocket(b, maximumLength: limits.maximumLength)
        try a.writeAll(bytes.span, until: .after(limit))
        try a.shutdown(.write)
        var buffer = [UInt8](repeating: 0, count: 100)
        for _ in 0..<2 {
          #expect(code { () throws(SocketError) in _ = try receiver.receive(into: buffer.mutableSpan) } == expected)
        }
        var sender = FramedSocket(a, maximumLength: 100)
        #expect(code { () throws(SocketError) in _ = try sender.send(text(101).span) } == .messageTooLarge)
      }
    }
  }

  @Test func acceptsThroughAListener() throws {
    typealias Wrapped = FramedSocket<MeteredSocket<TCPSocket>>
    let plan = FramePlan(maximumLength: 1000, base: MeterPlan(ByteQuota(received: 104)))
    let listener = try TCPSocket.listen(on: .loopback(port: 0)).accepting(Wrapped.self, context: plan)
    var client = FramedSocket(try TCPSocket.connect(to: listener.localAddress(), until: .after(limit)))
    var server = try listener.accept(until: .after(limit))
    #expect(server.maximumLength == 1000)
    var poller = Slab<Wrapped>(capacity: 1)
    try client.send(text(100).span, until: .after(limit))
    var buffer = [UInt8](repeating: 0, count: 1000)
    #expect(try server.receive(into: buffer.mutableSpan, until: .after(limit)) == .bytes(100))
    let token = poller.insert(server)
    // The quota is exactly exhausted, so receiving the next byte fails.
    try client.send(text(1).span, until: .after(limit))
    let found: SocketError.Code?? = poller.withMutableElement(token) { socket in
      code { () throws(SocketError) in _ = try socket.receive(into: buffer.mutableSpan, until: .after(limit)) }
    }
    #expect(found == .some(SocketError(.failure(errno: ByteQuota.errorNumber), .receive).code))
  }
}

/// Returns the code of the error that `body` throws, or nil.
func code(_ body: () throws(SocketError) -> Void) -> SocketError.Code? {
  do throws(SocketError) {
    try body()
    return nil
  } catch {
    return error.code
  }
}
