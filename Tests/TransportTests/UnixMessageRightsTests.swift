import Glibc
import SocketKit
import TestSupport
import Testing

/// Passing descriptors: numbers, limits, errors, and ancillary data that is not as it should be.
@Suite(.exclusive) struct UnixMessageRightsTests {
  private func withFiles(_ count: Int, _ body: ([Int32]) throws -> Void) throws {
    let files = (0..<count).map { makeFile("file \($0)") }
    defer { for file in files { close(file) } }
    try body(files)
  }

  @Test(arguments: [1, 3, 9, 253]) func filesArriveWithTheirContent(_ count: Int) throws {
    try withFiles(count) { files in
      for kind in EachKind.Kind.allCases {
        try EachKind(kind: kind, files: files).pass(room: ReceivedDescriptors<253>.self)
        try EachKind(kind: kind, files: files).pass(room: ReceivedDescriptors<2>.self)
      }
    }
  }

  @Test func moreThan253AreRefusedBeforeTheKernelIsAsked() throws {
    try withFiles(1) { files in
      let many = [RawDescriptor](repeating: RawDescriptor(files[0]), count: 254)
      let pair = try UnixSequencedPacketSocket.pair()
      let error = failure { () throws(SocketError) in _ = try pair.first.sendDescriptors(many.span, with: [1].span) }
      #expect(error?.code == .capacityExceeded && error?.operation == .passDescriptors && error?.errno == 0)
      #expect(error?.description.contains("at most 253") == true)
      let largest = try pair.first.sendDescriptors(many.span.extracting(first: 253), with: [1].span)
      var received = ReceivedDescriptors<253>()
      var buffer: [UInt8] = [0]
      let outcome = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let count = received.count
      #expect(largest == 1 && outcome == .bytes(1) && count == 253)
    }
  }

  @Test func aClosedDescriptorInTheListIsNamedAndNothingGoes() throws {
    try withFiles(1) { files in
      let pair = try UnixStreamSocket.pair()
      let list = [RawDescriptor(files[0]), RawDescriptor(9999)]
      let error = failure { () throws(SocketError) in _ = try pair.first.sendDescriptors(list.span, with: [1].span) }
      #expect(error?.code == .closed && error?.errno == EBADF && error?.operation == .passDescriptors)
      #expect(error?.remedy?.contains("in the list") == true)
      var received = ReceivedDescriptors<2>()
      var buffer: [UInt8] = [0]
      let outcome = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      #expect(outcome == nil)
    }
  }

  @Test func aStreamCarriesDescriptorsOnlyBesideBytes() throws {
    try withFiles(1) { files in
      let raw = files.map { RawDescriptor($0) }
      let stream = try UnixStreamSocket.pair()
      let error = failure { () throws(SocketError) in
        _ = try stream.first.sendDescriptors(raw.span, with: [UInt8]().span)
      }
      #expect(error?.code == .invalidArgument && error?.remedy?.contains("at least one byte") == true)
      // Messages may be empty.
      let packets = try UnixSequencedPacketSocket.pair()
      let sent = try packets.first.sendDescriptors(raw.span, with: [UInt8]().span)
      var received = ReceivedDescriptors<1>()
      var none: [UInt8] = []
      let outcome = try packets.second.receiveDescriptors(&received, into: none.mutableSpan)
      let count = received.count
      #expect(sent == 0 && outcome == .bytes(0) && count == 1)
      // An empty buffer on a stream takes nothing away.
      _ = try stream.first.sendDescriptors(raw.span, with: [1].span)
      let asked = try stream.second.receiveDescriptors(&received, into: none.mutableSpan)
      var buffer: [UInt8] = [0]
      let real = try stream.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let after = received.count
      #expect(asked == .bytes(0) && real == .bytes(1) && after == 1)
    }
  }

  @Test func theEndOfAStreamIsTheEndHereToo() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.first.shutdown(.write)
    var received = ReceivedDescriptors<1>()
    var buffer: [UInt8] = [0]
    let end = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan, until: .after(patience))
    #expect(end == .endOfStream)
    #expect(
      failure { () throws(SocketError) in
        _ = try pair.first.receiveDescriptors(&received, into: buffer.mutableSpan, until: .after(.milliseconds(10)))
      }?.code == .timedOut)
  }

  /// The process can take two more: the kernel delivers those and says that it cut (MSG_CTRUNC).
  @Test func whatTheProcessHasNoRoomForIsAnErrorThatLeaksNothing() throws {
    try withFiles(5) { files in
      let raw = files.map { RawDescriptor($0) }
      let pair = try UnixSequencedPacketSocket.pair()
      _ = try pair.first.sendDescriptors(raw.span, with: [1, 2].span)
      _ = try pair.first.sendDescriptors(raw.span, with: [3].span)
      let before = openDescriptors()
      var buffer: [UInt8] = [0, 0]
      var received = ReceivedDescriptors<5>()
      let (error, plain) = withDescriptorLimit((before.last ?? 0) + 8) { () -> (SocketError?, SocketError?) in
        var fill: [Int32] = []
        while true {
          let number = dup(files[0])
          if number < 0 { break }
          fill.append(number)
        }
        for _ in 0..<2 { if let number = fill.popLast() { close(number) } }
        let error = failure { () throws(SocketError) in
          _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
        }
        // Who asked for none has lost nothing.
        var none = ReceivedDescriptors<0>()
        let plain = failure { () throws(SocketError) in
          _ = try pair.second.receiveDescriptors(&none, into: buffer.mutableSpan)
        }
        for number in fill { close(number) }
        return (error, plain)
      }
      let (count, info) = (received.count, received.info)
      #expect(error?.code == .ancillaryTruncated && error?.transferred == 2 && error?.operation == .receive)
      #expect(error?.remedy != nil && count == 0 && plain == nil && buffer == [3, 2])
      #expect(info.length == 2 && info.flags.contains(.ancillaryTruncated))
      #expect(openDescriptors() == before)
    }
  }

  @Test func theListIsEmptiedByTheNextReceive() throws {
    try withFiles(2) { files in
      let raw = files.map { RawDescriptor($0) }
      let pair = try UnixDatagramSocket.pair()
      let before = openDescriptors().count
      var received = ReceivedDescriptors<2>()
      var buffer: [UInt8] = [0]
      for _ in 0..<3 {
        _ = try pair.first.sendDescriptors(raw.span, with: [1].span)
        _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
        let count = received.count
        #expect(count == 2 && openDescriptors().count == before + 2)
      }
      let nothing = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let count = received.count
      #expect(nothing == nil && count == 0 && openDescriptors().count == before)
    }
  }

  @Test func twoRightsMessagesInOneSendArrive() throws {
    try withFiles(3) { files in
      let raw = files.map { RawDescriptor($0) }
      let pair = try UnixSequencedPacketSocket.pair()
      let byte: [UInt8] = [1]
      var ancillary = AncillaryBuffer<64>()
      try ancillary.append(descriptors: raw.span.extracting(first: 2))
      try ancillary.append(descriptors: raw.span.extracting(droppingFirst: 2))
      let result = pair.first.attemptSend(byte.span, ancillary: ancillary.bytes, to: RawSpan(), flags: [])
      #expect(result.raw == 1)
      var received = ReceivedDescriptors<3>()
      var buffer: [UInt8] = [0]
      _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let (count, last) = (received.count, content(received[2]))
      #expect(count == 3 && last == "file 2")
    }
  }

  /// Ancillary data made by hand: whole descriptors are taken over, also from a second message, the rest is skipped.
  @Test func malformedAndTruncatedAncillaryData() throws {
    func header(_ length: Int, _ type: Int32 = 1, level: Int32 = 1) -> [UInt8] {
      length.rawBytes + level.rawBytes + type.rawBytes
    }
    func bytes(_ number: Int32) -> [UInt8] { number.rawBytes }
    let padding = [UInt8](repeating: 0, count: 4)
    let before = openDescriptors()
    func check(_ make: ([Int32]) -> [UInt8], takes: Int, surplus: Int = 0) {
      let numbers = [makeFile("a"), makeFile("b")]
      var data = make(numbers)
      var received = ReceivedDescriptors<1>()
      var span = data.mutableSpan
      var ancillary = span.mutableIntegerBytes
      // Nothing else owns the descriptors whose numbers are in these bytes.
      unsafe received.take(from: &ancillary)
      let (count, extra) = (received.count, received.surplus)
      #expect(count == takes && extra == surplus)
      received.removeAll()
      let rest = openDescriptors().filter { !before.contains($0) }
      #expect(rest.count == 2 - takes - surplus)
      for number in rest { close(number) }
    }
    check({ header(20) + bytes($0[0]) + padding + header(20) + bytes($0[1]) }, takes: 1, surplus: 1)
    check({ header(20, 99) + padding + padding + header(20) + bytes($0[1]) }, takes: 1)
    check({ header(20, 1, level: 41) + bytes($0[0]) }, takes: 0)
    check({ header(23) + bytes($0[0]) + [1, 2, 3] }, takes: 1)  // a part of a second one
    check({ header(24) + bytes($0[0]) }, takes: 0)  // longer than what is there
    check({ header(15) + bytes($0[0]) }, takes: 0)  // shorter than its header
    check({ header(.max) + bytes($0[0]) }, takes: 0)
    check({ header(-1) + bytes($0[0]) }, takes: 0)
    check({ header(16) + header(20) + bytes($0[0]) }, takes: 1)  // no data
    check({ Array(header(20).dropLast()) + bytes($0[0]).prefix(0) }, takes: 0)
    check({ _ in header(20) + bytes(-1) }, takes: 0)
    check({ _ in header(20, 2) + padding }, takes: 0)  // credentials that are too short
    check({ _ in header(20, 4) + bytes(-3) }, takes: 0)  // the kernel could not open a pidfd
    check({ _ in [] }, takes: 0)
  }

  @Test func aBatchsDescriptorsCanBeTakenOver() throws {
    try withFiles(2) { files in
      let raw = files.map { RawDescriptor($0) }
      let pair = try UnixDatagramSocket.pair()
      _ = try pair.first.sendDescriptors(raw.span, with: [1].span)
      _ = try pair.first.sendDescriptors(raw.span.extracting(first: 1), with: [2].span)
      var batch = MessageBatch(capacity: 4, messageCapacity: 8, ancillaryCapacity: 64)
      let outcome = try batch.receive(from: pair.second)
      #expect(outcome == 2 && batch[0].flags.isEmpty)
      for slot in 0..<2 {
        var received = ReceivedDescriptors<2>()
        batch.takeDescriptors(at: slot, into: &received)
        let count = received.count
        #expect(count == 2 - slot)
      }
      // Without room for ancillary data the kernel drops them.
      _ = try pair.first.sendDescriptors(raw.span, with: [3].span)
      var plain = MessageBatch(capacity: 4, messageCapacity: 8)
      let before = openDescriptors()
      let again = try plain.receive(from: pair.second)
      #expect(again == 1 && openDescriptors() == before)
    }
  }

  @Test func whetherItBlocksIsLeftAlone() throws {
    let pair = try UnixStreamSocket.pair()
    try withFiles(1) { files in
      let list = [RawDescriptor(files[0]), pair.first.descriptor]
      _ = try pair.first.sendDescriptors(list.span, with: [1].span)
      var received = ReceivedDescriptors<2>()
      var buffer: [UInt8] = [0]
      _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let flags = [fcntl(received[0].value, F_GETFL), fcntl(received[1].value, F_GETFL)]
      #expect(flags[0] & O_NONBLOCK == 0 && flags[1] & O_NONBLOCK != 0)
      _ = received.takeFirst()
      guard let descriptor = received.takeFirst() else { throw SocketError(code: .other, .receive) }
      let socket = try UnixStreamSocket(adopting: descriptor)
      try socket.writeAll([5].span, until: .after(patience))
      try pair.second.readExactly(into: buffer.mutableSpan, until: .after(patience))
      #expect(buffer == [5])
    }
  }
}
