import Glibc
import SocketKit
import TestSupport
import Testing

/// Descriptors and identities that are taken over from ancillary data: once each, and only those of the last message.
@Suite(.exclusive) struct UnixTakenDescriptorTests {
  @Test func aBatchGivesOutDescriptorsOnce() throws {
    let pair = try UnixDatagramSocket.pair()
    let files = [makeFile("file 0"), makeFile("file 1"), makeFile("file 2")]
    defer { for file in files { close(file) } }
    let raw = files.map { RawDescriptor($0) }
    let before = openDescriptors().count
    _ = try pair.first.sendDescriptors(raw.span, with: [1].span)
    _ = try pair.first.sendDescriptors(raw.span.extracting(first: 1), with: [2].span)
    do {
      var received = ReceivedDescriptors<2>()
      do {
        var batch = MessageBatch(capacity: 4, messageCapacity: 8, ancillaryCapacity: 64)
        let outcome = try batch.receive(from: pair.second)
        #expect(outcome == 2 && batch[0].flags.isEmpty && openDescriptors().count == before + 4)
        batch.takeDescriptors(at: 0, into: &received)
        let (count, surplus, texts) = (received.count, received.surplus, [content(received[0]), content(received[1])])
        #expect(count == 2 && surplus == 1 && texts == ["file 0", "file 1"] && openDescriptors().count == before + 3)
        var again = ReceivedDescriptors<2>()
        batch.takeDescriptors(at: 0, into: &again)
        let second = (again.count, again.surplus)
        #expect(second == (0, 0), "taken twice")
        batch.removeAll()
        #expect(openDescriptors().count == before + 2, "the second message's is closed, the taken ones stay")
      }
      let texts = [content(received[0]), content(received[1])]
      #expect(texts == ["file 0", "file 1"])
    }
    #expect(openDescriptors().count == before)
  }

  /// What the program put there to send is not taken over.
  @Test func onlyWhatCameIsTaken() throws {
    let file = makeFile("ours")
    defer { close(file) }
    var batch = MessageBatch(capacity: 4, messageCapacity: 8, ancillaryCapacity: 64)
    try batch.append([1].span)
    var ancillary = AncillaryBuffer<64>()
    try ancillary.append(descriptors: [RawDescriptor(file)].span)
    try batch.setAncillary(ancillary.bytes, at: 0)
    var received = ReceivedDescriptors<1>()
    batch.takeDescriptors(at: 0, into: &received)
    let count = received.count
    #expect(count == 0)
  }

  /// Room for one serves any number of messages.
  @Test func roomComesBackWithEachMessage() throws {
    let pair = try UnixDatagramSocket.pair()
    let file = makeFile("a file")
    defer { close(file) }
    let before = openDescriptors().count
    for _ in 0..<5 { _ = try pair.first.sendDescriptors([RawDescriptor(file)].span, with: [1].span) }
    var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 64)
    _ = try batch.receive(from: pair.second)
    var received = ReceivedDescriptors<1>()
    for slot in 0..<5 {
      batch.takeDescriptors(at: slot, into: &received)
      let (count, surplus) = (received.count, received.surplus)
      #expect(count == 1 && surplus == 0, "message \(slot)")
      if slot % 2 == 0 {
        guard let taken = received.takeFirst() else { throw SocketError(code: .other, .receive) }
        #expect(content(taken.raw) == "a file")
      }
    }
    #expect(openDescriptors().count == before)
  }

  /// The credentials of an earlier message would be taken for those of the next sender.
  @Test func credentialsOfAnEarlierMessageAreForgotten() throws {
    let pair = try UnixDatagramSocket.pair()
    var batch = MessageBatch(capacity: 8, messageCapacity: 8, ancillaryCapacity: 96)
    var received = ReceivedDescriptors<1>()
    try pair.second.setOption(.passCredentials, to: true)
    _ = try pair.first.send([1].span)
    _ = try batch.receive(from: pair.second)
    batch.takeDescriptors(at: 0, into: &received)
    let known = received.credentials
    #expect(known == .own)
    try pair.second.setOption(.passCredentials, to: false)
    let own = [pair.first.descriptor]
    _ = try pair.first.sendDescriptors(own.span, with: [2].span)
    _ = try batch.receive(from: pair.second)
    batch.takeDescriptors(at: 0, into: &received)
    let (unknown, count) = (received.credentials, received.count)
    #expect(unknown == nil && count == 1)
    var empty: [UInt8] = []
    var span = empty.mutableSpan
    var nothing = span.mutableIntegerBytes
    // There are no numbers in no bytes.
    unsafe received.take(from: &nothing)
    let left = received.count
    #expect(left == 0, "a message with nothing beside it")
  }

  /// Linux 6.16.
  @Test func aReceiverCanRefuseDescriptors() throws {
    func check<S: PassingSocket & ~Copyable>(_ pair: borrowing SocketPair<S>) throws {
      let own = [pair.first.descriptor]
      do throws(SocketError) {
        let isOn = try pair.second.option(.passDescriptors)
        #expect(isOn)
        try pair.second.setOption(.passDescriptors, to: false)
      } catch {
        #expect(error.code == .notSupported, "unavailable: SO_PASSRIGHTS needs Linux 6.16")
        return
      }
      let refused = failure { () throws(SocketError) in _ = try pair.first.sendDescriptors(own.span, with: [1].span) }
      #expect(refused?.code == .permissionDenied && refused?.operation == .passDescriptors && refused?.errno == EPERM)
      var buffer: [UInt8] = [0]
      var received = ReceivedDescriptors<1>()
      let nothing = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let plain = try pair.first.sendDescriptors(Span(), with: [2].span)
      let message = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      #expect(nothing == nil && plain == 1 && message == .bytes(1) && buffer == [2])
      try pair.second.setOption(.passDescriptors, to: true)
      _ = try pair.first.sendDescriptors(own.span, with: [3].span)
      _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let count = received.count
      #expect(count == 1)
    }
    try check(UnixStreamSocket.pair())
    try check(UnixSequencedPacketSocket.pair())
    try check(UnixDatagramSocket.pair())
  }
}
