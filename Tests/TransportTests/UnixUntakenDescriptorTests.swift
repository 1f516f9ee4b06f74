import Glibc
import SocketKit
import TestSupport
import Testing

/// Descriptors that come with messages and that nobody takes: none stays open.
@Suite(.exclusive) struct UnixUntakenDescriptorTests {
  /// Sends `messages` messages with `count` descriptors each.
  private func send<S: PassingSocket & ~Copyable>(
    _ messages: Int, _ count: Int, from socket: borrowing S
  ) throws {
    let own = [RawDescriptor](repeating: socket.descriptor, count: count)
    for index in 0..<messages {
      let outcome = try socket.sendDescriptors(own.span, with: [UInt8(index)].span)
      #expect(outcome == 1)
    }
  }

  private func fill<S: PassingSocket & MessageSocket & ~Copyable>(
    _ batch: inout MessageBatch, _ messages: Int, _ count: Int, _ pair: borrowing SocketPair<S>
  ) throws {
    try send(messages, count, from: pair.first)
    let outcome = try batch.receive(from: pair.second)
    #expect(outcome == messages)
  }

  private func checkBatch<S: PassingSocket & MessageSocket & ~Copyable>(_ pair: borrowing SocketPair<S>) throws {
    let before = openDescriptors().count
    do {
      var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 64)
      try fill(&batch, 5, 2, pair)
      #expect(openDescriptors().count == before + 10)
      try fill(&batch, 2, 3, pair)
      #expect(openDescriptors().count == before + 6, "the next receive closes them")
      let nothing = try batch.receive(from: pair.second)
      #expect(nothing == nil && openDescriptors().count == before, "also one that finds nothing")
      try fill(&batch, 4, 1, pair)
      batch.removeLast()
      #expect(openDescriptors().count == before + 3, "so does removeLast")
      batch.removeAll()
      #expect(openDescriptors().count == before, "so does removeAll")
      try fill(&batch, 3, 2, pair)
    }
    #expect(openDescriptors().count == before, "so does the end of the batch's life")
  }

  @Test func aBatchOfDatagramsClosesWhatNobodyTook() throws { try checkBatch(UnixDatagramSocket.pair()) }
  @Test func aBatchOfPacketsClosesWhatNobodyTook() throws { try checkBatch(UnixSequencedPacketSocket.pair()) }

  @Test func aBatchThatIsSentOnClosesThemWhenItGoes() throws {
    let pair = try UnixDatagramSocket.pair()
    let before = openDescriptors().count
    do {
      var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 64)
      try fill(&batch, 3, 2, pair)
      let sent = try batch.send(on: pair.second)
      #expect(sent == 3 && openDescriptors().count == before + 6)
    }
    #expect(openDescriptors().count == before)
    // The echo has no descriptors beside it.
    var back = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 64)
    let outcome = try back.receive(from: pair.first)
    #expect(outcome == 3 && openDescriptors().count == before && back[0].info.ancillaryLength == 0)
  }

  @Test func newAncillaryDataClosesWhatItReplaces() throws {
    let pair = try UnixDatagramSocket.pair()
    let before = openDescriptors().count
    var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 64)
    try fill(&batch, 2, 2, pair)
    try batch.setAncillary(RawSpan(), at: 0)
    #expect(openDescriptors().count == before + 2)
    try batch.setSegmentSize(1, at: 1)
    #expect(openDescriptors().count == before)
  }

  /// A batch does not close descriptors that the program puts into it to send.
  @Test func whatTheProgramSendsStaysOpen() throws {
    let pair = try UnixDatagramSocket.pair()
    let file = makeFile("ours")
    defer { close(file) }
    let before = openDescriptors()
    do {
      var batch = MessageBatch(capacity: 4, messageCapacity: 8, ancillaryCapacity: 64)
      try fill(&batch, 1, 1, pair)
      var ancillary = AncillaryBuffer<64>()
      try ancillary.append(descriptors: [RawDescriptor(file)].span)
      try batch.setAncillary(ancillary.bytes, at: 0)
      #expect(openDescriptors() == before)
      let sent = try batch.send(on: pair.first)
      #expect(sent == 1)
      batch.removeAll()
      #expect(openDescriptors() == before)
    }
    var received = ReceivedDescriptors<1>()
    var buffer: [UInt8] = [0]
    _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
    let text = content(received[0])
    #expect(text == "ours")
  }

  @Test func ancillaryDataWithoutRoomForAllClosesThoseThatCame() throws {
    let pair = try UnixDatagramSocket.pair()
    let before = openDescriptors().count
    do {
      // Room for one and its padding: the kernel delivers two.
      var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 24)
      try fill(&batch, 3, 5, pair)
      let cut = batch[2].flags
      #expect(cut.contains(.ancillaryTruncated) && openDescriptors().count == before + 6)
    }
    #expect(openDescriptors().count == before)
  }

  @Test func theSendersProcessIsClosedToo() throws {
    let pair = try UnixDatagramSocket.pair()
    if let error = failure({ () throws(SocketError) in try pair.second.setOption(.passProcess, to: true) }) {
      #expect(error.code == .notSupported && !mustBeAvailable, "unavailable: \(error)")
      return
    }
    let before = openDescriptors().count
    do {
      var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 64)
      try fill(&batch, 2, 1, pair)
      #expect(openDescriptors().count == before + 4)
    }
    #expect(openDescriptors().count == before)
    try send(1, 1, from: pair.first)
    let outcome = try receiveWithAncillary(pair.second)
    #expect(outcome == .bytes(1) && openDescriptors().count == before)
  }

  private func receiveWithAncillary<S: DatagramSocket & ~Copyable>(_ socket: borrowing S) throws -> ReadOutcome? {
    var ancillary = AncillaryBuffer<128>()
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    return try socket.receive(into: buffer.mutableSpan, ancillary: &ancillary, &info).map { .bytes($0) }
  }

  @Test func aReceiveWithAncillaryRoomClosesThem() throws {
    let pair = try UnixDatagramSocket.pair()
    let before = openDescriptors().count
    for count in [1, 2, 7] {
      try send(2, count, from: pair.first)
      let tried = try receiveWithAncillary(pair.second)
      #expect(tried == .bytes(1) && openDescriptors().count == before, "in a try")
      var ancillary = AncillaryBuffer<128>()
      var buffer: [UInt8] = [0]
      var info = MessageInfo()
      let waited = try pair.second.receive(
        into: buffer.mutableSpan, ancillary: &ancillary, &info, until: .after(patience))
      #expect(waited == 1 && openDescriptors().count == before, "in a waiting receive")
      // The ancillary data no longer names a descriptor.
      #expect(ancillary.byteCount == info.ancillaryLength)
      AncillaryData.forEach(in: ancillary.bytes) { _, _, data in
        #expect(data.integer(as: Int32.self) == -1)
      }
    }
  }

  @Test func aPeekWithAncillaryRoomClosesThem() throws {
    let pair = try UnixDatagramSocket.pair()
    let before = openDescriptors().count
    try send(1, 3, from: pair.first)
    var ancillary = AncillaryBuffer<128>()
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    let peeked = try pair.second.receive(into: buffer.mutableSpan, ancillary: &ancillary, &info, flags: .peek)
    #expect(peeked == 1 && openDescriptors().count == before)
    let received = try receiveWithAncillary(pair.second)
    #expect(received == .bytes(1) && openDescriptors().count == before)
  }

  @Test func genericUnixSocketsCloseThem() throws {
    let pair = try UnixDatagramSocket.pair()
    let before = openDescriptors().count
    let socket = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>(
      adopting: owning(pair.second.descriptor))
    try send(3, 2, from: pair.first)
    let outcome = try receiveWithAncillary(socket)
    #expect(outcome == .bytes(1) && openDescriptors().count == before)
    do {
      var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 64)
      let many = try batch.receive(from: socket)
      #expect(many == 2 && openDescriptors().count == before + 4)
    }
    #expect(openDescriptors().count == before)
    _ = socket.releaseDescriptor().release()
    let packets = try UnixSequencedPacketSocket.pair()
    let generic = try GenericPacketSocket<AnySocketAddress, SocketLevelOptions>(
      adopting: owning(packets.second.descriptor))
    try send(1, 2, from: packets.first)
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    let packet = try generic.receive(into: buffer.mutableSpan, &info)
    #expect(packet == .bytes(1) && openDescriptors().count == before + 2, "but for the pair's own")
    _ = generic.releaseDescriptor().release()
  }

  /// A wrapper that has only the one primitive, and inherits batches and all calls.
  private struct Wrapper: ~Copyable, DatagramSocket {
    typealias Address = UnixAddress
    let base: UnixDatagramSocket
    init(_ base: consuming UnixDatagramSocket) { self.base = base }
    static var capabilities: SocketCapabilities { .emptyMessages }
    var readSource: RawDescriptor { base.readSource }
    var writeSource: RawDescriptor { base.writeSource }
    borrowing func attemptReceive(
      into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
      _ info: inout MessageInfo
    ) -> IOResult { base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info) }
    borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
      -> IOResult
    {
      base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
    }
    borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
    consuming func attemptClose() -> IOResult { base.attemptClose() }
    borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
    borrowing func connectedAddress() throws(SocketError) -> UnixAddress? { try base.connectedAddress() }
  }

  @Test func wrappersCloseThem() throws {
    let pair = try UnixDatagramSocket.pair()
    try pair.split { first, second in
      let wrapper = Wrapper(second)
      let before = openDescriptors().count
      try send(5, 2, from: first)
      let outcome = try receiveWithAncillary(wrapper)
      #expect(outcome == .bytes(1) && openDescriptors().count == before)
      do {
        var batch = MessageBatch(capacity: 2, messageCapacity: 8, ancillaryCapacity: 64)
        for _ in 0..<2 {
          let many = try batch.receive(from: wrapper)
          #expect(many == 2 && openDescriptors().count == before + 4)
        }
      }
      #expect(openDescriptors().count == before)
      try first.close()
    }
  }
}
