import Glibc
import SocketKit
import TestSupport
import Testing

/// Messages in several buffers, `send(gathering:)` and `receive(scattering:)`, and messages with ancillary data.
@Suite(.exclusive) struct MessageBufferTests {
  /// Arrays of lengths 1, 2, 3, 1, 2, 3 … with bytes that count up.
  private func chunks(_ count: Int) -> [[UInt8]] {
    var next: UInt8 = 0
    return (0..<count).map { index in
      (0...index % 3).map { _ in
        next &+= 1
        return next
      }
    }
  }

  private let refusals = (
    SocketError(code: .capacityExceeded, .send), SocketError(code: .capacityExceeded, .receive)
  )

  private func error(_ body: () throws -> Void) -> SocketError? {
    do {
      try body()
      return nil
    } catch { return error as? SocketError }
  }

  /// Sends one message from so many buffers and receives it into as many, in a try and waiting.
  private func exchange(
    _ count: Int, send: (borrowing GatherList, _ waits: Bool) throws -> Int?,
    receive: (consuming ScatterList, inout MessageInfo, _ waits: Bool) throws -> ReadOutcome?
  ) throws {
    let chunks = chunks(count)
    let whole = chunks.flatMap { $0 }
    for waits in [false, true] {
      var list = GatherList()
      list.append(contentsOf: chunks)
      #expect(try send(list, waits) == whole.count)
      var seen = chunks.map { [UInt8](repeating: 0, count: $0.count) }
      var info = MessageInfo()
      do {
        var rooms = ScatterList()
        rooms.append(contentsOf: &seen)
        #expect(try receive(rooms, &info, waits) == .bytes(whole.count))
      }
      #expect(seen == chunks && info.length == whole.count && !info.isTruncated)
    }
  }

  private func exchange<S: DatagramSocket & ~Copyable>(
    _ near: borrowing S, _ far: borrowing S, to address: S.Address?, _ count: Int
  ) throws {
    try exchange(count) { list, waits in
      waits
        ? try near.send(gathering: list, to: address, until: .after(soon)) : try near.send(gathering: list, to: address)
    } receive: { rooms, info, waits in
      let received: Int? =
        waits
        ? try far.receive(scattering: rooms, &info, until: .after(soon)) : try far.receive(scattering: rooms, &info)
      return received.map { .bytes($0) }
    }
  }

  @Test(arguments: [1, 3, 8, 9, 1024]) func datagramsOfUDP(_ count: Int) throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.bind(to: .loopback(port: 0))
    try exchange(client, server, to: server.localAddress(), count)
    try client.connect(to: server.localAddress())
    try exchange(client, server, to: nil, count)
  }

  @Test(arguments: [1, 3, 8, 9, 1024]) func datagramsOfUnix(_ count: Int) throws {
    let pair = try UnixDatagramSocket.pair()
    try exchange(pair.first, pair.second, to: nil, count)
  }

  @Test(arguments: [1, 3, 8, 9, 1024]) func packetsOfUnix(_ count: Int) throws {
    let pair = try UnixSequencedPacketSocket.pair()
    try exchange(count) { list, waits in
      waits ? try pair.first.send(gathering: list, until: .after(soon)) : try pair.first.send(gathering: list)
    } receive: { rooms, info, waits in
      waits
        ? try pair.second.receive(scattering: rooms, &info, until: .after(soon))
        : try pair.second.receive(scattering: rooms, &info)
    }
  }

  /// A message cannot be split, so more than UIO_MAXIOV buffers are an error, and nothing is sent or received.
  @Test func moreThan1024BuffersAreRefused() throws {
    let pair = try UnixDatagramSocket.pair()
    let packets = try UnixSequencedPacketSocket.pair()
    let chunks = chunks(1100)
    var list = GatherList()
    list.append(contentsOf: chunks)
    #expect(error { _ = try pair.first.send(gathering: list) } == refusals.0)
    #expect(error { _ = try pair.first.send(gathering: list, until: .after(soon)) } == refusals.0)
    #expect(error { _ = try packets.first.send(gathering: list) } == refusals.0)
    #expect(error { _ = try packets.first.send(gathering: list, until: .after(soon)) } == refusals.0)
    #expect(try pair.first.send([1].span) == 1)
    #expect(try packets.first.send([1].span) == 1)
    var info = MessageInfo()
    // A list of receive buffers is consumed, so each call has its own.
    func received(_ receive: (consuming ScatterList) throws -> Void) -> SocketError? {
      error {
        var seen = chunks
        var rooms = ScatterList()
        rooms.append(contentsOf: &seen)
        try receive(rooms)
      }
    }
    #expect(received { _ = try pair.second.receive(scattering: $0, &info) } == refusals.1)
    #expect(received { _ = try pair.second.receive(scattering: $0, &info, until: .after(soon)) } == refusals.1)
    #expect(received { _ = try packets.second.receive(scattering: $0, &info) } == refusals.1)
    #expect(received { _ = try packets.second.receive(scattering: $0, &info, until: .after(soon)) } == refusals.1)
    var byte: [UInt8] = [0]
    #expect(try pair.second.receive(into: byte.mutableSpan, &info) == 1 && byte == [1])
    #expect(try packets.second.receive(into: byte.mutableSpan, &info) == .bytes(1))
  }

  /// Empty buffers do not count.
  @Test func emptyBuffersAreLeftOut() throws {
    let pair = try UnixDatagramSocket.pair()
    var list = GatherList()
    let parts: [[UInt8]] = (0..<2000).map { (index: Int) -> [UInt8] in index % 2 == 0 ? [] : [UInt8(index & 255)] }
    list.append(contentsOf: parts)
    #expect(try pair.first.send(gathering: list) == 1000)
    #expect(try pair.first.send(gathering: GatherList()) == 0)
    var info = MessageInfo()
    var buffer = [UInt8](repeating: 0, count: 2000)
    #expect(try pair.second.receive(into: buffer.mutableSpan, &info) == 1000)
    let expected: [UInt8] = (0..<1000).map { (index: Int) -> UInt8 in UInt8((index * 2 + 1) & 255) }
    #expect(Array(buffer.prefix(1000)) == expected)
    #expect(try pair.second.receive(scattering: ScatterList(), &info) == 0 && info.length == 0 && !info.isTruncated)
    #expect(try pair.second.receive(scattering: ScatterList(buffer.mutableSpan), &info) == nil)
    #expect(try pair.first.send([1, 2].span) == 2)
    #expect(try pair.second.receive(scattering: ScatterList(), &info) == 0 && info.length == 2 && info.isTruncated)
  }

  @Test func flagsTruncationAndTheSender() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.bind(to: .loopback(port: 0))
    let (head, body): ([UInt8], [UInt8]) = ([1, 2], [3, 4, 5])
    #expect(try client.send(gathering: GatherList(head.span, body.span), to: server.localAddress()) == 5)
    var (first, second): ([UInt8], [UInt8]) = ([0], [0, 0])
    var info = MessageInfo()
    for flags: ReceiveFlags in [.peek, []] {
      let count = try server.receive(
        scattering: ScatterList(first.mutableSpan, second.mutableSpan), &info, flags: flags, until: .after(soon))
      #expect(count == 3 && first == [1] && second == [2, 3] && info.length == 5 && info.isTruncated)
      #expect(try IPSocketAddress(info.address) == client.localAddress())
    }
    #expect(try server.receive(scattering: ScatterList(first.mutableSpan), &info) == nil)
    #expect(
      error { _ = try server.receive(scattering: ScatterList(first.mutableSpan), &info, until: .past) }?.code
        == .timedOut)
  }

  @Test func ancillaryDataGoesWithSeveralBuffers() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    try server.setOption(.receiveHopLimit, to: true)
    let client = try UDPSocket.bind(to: .loopback(port: 0))
    var metadata = OutgoingMetadata()
    metadata.hopLimit = 7
    let target = try server.localAddress()
    var ancillary = AncillaryBuffer<160>()
    try metadata.encode(into: &ancillary, for: target)
    let (head, body): ([UInt8], [UInt8]) = ([1, 2], [3, 4, 5])
    #expect(try client.send(gathering: GatherList(head.span, body.span), ancillary: ancillary.bytes, to: target) == 5)
    #expect(try client.send([6].span, ancillary: ancillary.bytes, to: target, until: .after(soon)) == 1)
    for bytes in [[1, 2, 3, 4, 5], [6]] as [[UInt8]] {
      let received = try server.nextWithMetadata()
      #expect(received.bytes == bytes && received.2.hopLimit == 7)
    }
  }

  @Test func packetsReceiveAncillaryData() throws {
    let pair = try UnixSequencedPacketSocket.pair()
    try pair.second.setOption(.timestamps, to: true)
    var ancillary = AncillaryBuffer<64>()
    var info = MessageInfo()
    var byte: [UInt8] = [0]
    #expect(try pair.second.receive(into: byte.mutableSpan, ancillary: &ancillary, &info) == nil)
    for waits in [false, true] {
      #expect(try pair.first.send([7].span) == 1)
      let outcome: ReadOutcome? =
        waits
        ? try pair.second.receive(into: byte.mutableSpan, ancillary: &ancillary, &info, until: .after(soon))
        : try pair.second.receive(into: byte.mutableSpan, ancillary: &ancillary, &info)
      let (count, time) = (ancillary.byteCount, ancillary.metadata.timestamp)
      #expect(outcome == .bytes(1) && byte == [7] && count == info.ancillaryLength && time != nil)
    }
    try pair.first.shutdown(.write)
    let end = try pair.second.receive(into: byte.mutableSpan, ancillary: &ancillary, &info)
    let left = ancillary.byteCount
    #expect(end == .endOfStream && left == 0)
  }

  @Test func aFullQueueIsNilThenWaitedFor() throws {
    let pair = try UnixDatagramSocket.pair()
    let part = [UInt8](repeating: 1, count: 1000)
    var sent = 0
    while try pair.first.send(gathering: GatherList(part.span, part.span)) != nil { sent += 1 }
    #expect(sent > 0)
    #expect(
      error { _ = try pair.first.send(gathering: GatherList(part.span), until: .after(.milliseconds(5))) }?.code
        == .timedOut)
    var info = MessageInfo()
    var buffer = [UInt8](repeating: 0, count: 4000)
    for _ in 0..<sent { #expect(try pair.second.receive(into: buffer.mutableSpan, &info) == 2000) }
    #expect(try pair.first.send(gathering: GatherList(part.span, part.span), until: .after(soon)) == 2000)
  }
}
