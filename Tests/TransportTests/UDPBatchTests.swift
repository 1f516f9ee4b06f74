import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct UDPBatchTests {
  /// Receives until so many messages have come, and gives each one's bytes.
  private func collect(_ socket: borrowing UDPSocket, _ batch: inout MessageBatch, _ number: Int) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    while found.count < number {
      let count = try batch.receive(from: socket, until: .after(soon))
      #expect(count == batch.count && count >= 1)
      for slot in 0..<count { found.append(batch[slot].bytes.array) }
    }
    return found
  }

  @Test(arguments: UDPWay.allCases, [2, 3, 128]) func aBatchGoesAndComes(_ way: UDPWay, _ number: Int) throws {
    let server = try UDPSocket.bind(to: way.any)
    let client = try UDPSocket.bind(to: way.target(0))
    var out = MessageBatch(capacity: number, messageCapacity: 64)
    for index in 0..<number { try out.append(pattern(index % 65, from: index).span, to: way.target(server.port())) }
    #expect(out.count == number && out.capacity == number)
    #expect(try out.send(on: client) == number)
    #expect(out.sent == number)
    var batch = MessageBatch(capacity: number, messageCapacity: 64)
    let first = try batch.receive(from: server, until: .after(soon))
    for slot in 0..<first {
      #expect(batch[slot].fullLength == slot % 65 && batch[slot].flags == [])
      #expect(try IPSocketAddress(batch[slot].address)?.unmapped == client.localAddress())
    }
    // What was received is sent back as it is.
    #expect(try batch.send(on: server) == first)
    let echoed = try collect(client, &out, first)
    for (index, bytes) in echoed.enumerated() { #expect(bytes == pattern(index % 65, from: index)) }
    if first < number { _ = try collect(server, &batch, number - first) }
  }

  /// UIO_MAXIOV: what one system call takes.
  @Test func theLargestBatch() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.receiveBuffer, to: 4 << 20)
    }
    guard try server.option(.receiveBuffer) >= 2 << 20 else {
      #expect(!mustBeAvailable, "unavailable: net.core.rmem_max is too small")
      return
    }
    let client = try UDPSocket.connect(to: server.localAddress())
    var out = MessageBatch(capacity: 1024, messageCapacity: 2)
    for index in 0..<1024 { try out.append([UInt8(index >> 8), UInt8(index & 255)].span) }
    do throws(SocketError) {
      try out.append([1].span)
      Issue.record("took 1025")
    } catch {
      #expect(error.code == .capacityExceeded)
    }
    try out.send(on: client, until: .after(soon))
    #expect(out.sent == 1024)
    var batch = MessageBatch(capacity: 1024, messageCapacity: 2)
    let found = try collect(server, &batch, 1024)
    for (index, bytes) in found.enumerated() { #expect(bytes == [UInt8(index >> 8), UInt8(index & 255)]) }
  }

  @Test func emptyBatchesAndEmptyQueues() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    var batch = MessageBatch(capacity: 4, messageCapacity: 8)
    #expect(try batch.send(on: socket) == 0)
    try batch.send(on: socket, until: .past)
    #expect(try batch.receive(from: socket) == nil)
    #expect(batch.isEmpty && batch.sent == 0)
    let start = milliseconds()
    #expect(throws: SocketError(code: .timedOut, .receive)) {
      _ = try batch.receive(from: socket, until: .after(.milliseconds(50)))
    }
    #expect(milliseconds() - start >= 40)
  }

  @Test func messagesKeepTheirSizes() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    let sizes = [0, 1, 1472, 0, 1473, 9000, 3]
    var out = MessageBatch(capacity: 8, messageCapacity: 9000)
    for size in sizes { try out.append(pattern(size).span) }
    #expect(throws: SocketError(code: .capacityExceeded, .send)) { try out.append(pattern(9001).span) }
    try out.send(on: client, until: .after(soon))
    var batch = MessageBatch(capacity: 8, messageCapacity: 9000)
    #expect(try collect(server, &batch, sizes.count) == sizes.map { pattern($0) })
    out.sent = 0
    try out.send(on: client, until: .after(soon))
    // Slots of 2 bytes: the rest is lost, the length is told, and the next use of the slots has their full room.
    var small = MessageBatch(capacity: 8, messageCapacity: 2)
    var lengths: [Int] = []
    while lengths.count < sizes.count {
      for slot in 0..<(try small.receive(from: server, until: .after(soon))) {
        lengths.append(small[slot].fullLength)
        #expect(small[slot].byteCount == min(2, small[slot].fullLength))
        #expect(small[slot].flags.contains(.truncated) == (small[slot].fullLength > 2))
      }
    }
    #expect(lengths == sizes)
  }

  @Test func aFailureInTheMiddleTellsHowManyWent() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    var out = MessageBatch(capacity: 4, messageCapacity: 66000)
    for size in [1, 2, 65508, 4] { try out.append(pattern(size).span) }
    #expect(try out.send(on: client) == 2)
    #expect(out.sent == 2)
    for _ in 0..<2 {
      do throws(SocketError) {
        _ = try out.send(on: client)
        Issue.record("sent it")
      } catch {
        #expect(error.code == .messageTooLarge && error.operation == .send)
      }
      #expect(out.sent == 2, "a failure moves nothing")
    }
    out.sent += 1
    #expect(try out.send(on: client) == 1)
    #expect(try out.send(on: client) == 0)
    var batch = MessageBatch(capacity: 4, messageCapacity: 8)
    #expect(try collect(server, &batch, 3) == [pattern(1), pattern(2), pattern(4)])
  }

  @Test(arguments: UDPWay.allCases) func metadataOfEachMessage(_ way: UDPWay) throws {
    let server = try UDPSocket.bind(to: way.any)
    try server.setOption(.receiveHopLimit, to: true)
    try server.setOption(.packetInfo, to: true)
    let client = try UDPSocket.bind(to: way.target(0))
    var out = MessageBatch(capacity: 3, messageCapacity: 8, ancillaryCapacity: 128)
    for index in 0..<3 {
      try out.append([UInt8(index)].span, to: way.target(server.port()))
      var metadata = OutgoingMetadata()
      metadata.hopLimit = UInt8(10 + index)
      if index > 0 { try out.setMetadata(metadata, at: index) }
    }
    try out.send(on: client, until: .after(soon))
    var batch = MessageBatch(capacity: 3, messageCapacity: 8, ancillaryCapacity: 256)
    var hops: [UInt8?] = []
    while hops.count < 3 {
      for slot in 0..<(try batch.receive(from: server, until: .after(soon))) {
        let metadata = batch[slot].metadata
        hops.append(metadata.hopLimit)
        #expect(metadata.destination == way.target(0) && metadata.interfaceIndex == 1)
      }
    }
    #expect(hops == [64, 11, 12])
  }

  @Test func metadataNeedsRoomAndADestination() throws {
    var metadata = OutgoingMetadata()
    metadata.hopLimit = 3
    var none = MessageBatch(capacity: 1, messageCapacity: 8)
    try none.append([1].span, to: IPSocketAddress.loopback(port: 1))
    #expect(throws: SocketError(code: .capacityExceeded, .send)) { try none.setMetadata(metadata, at: 0) }
    #expect(throws: SocketError(code: .capacityExceeded, .send)) { try none.setSegmentSize(1, at: 0) }
    var batch = MessageBatch(capacity: 1, messageCapacity: 8, ancillaryCapacity: 128)
    try batch.append([1].span)
    #expect(throws: SocketError(code: .invalidArgument, .send)) { try batch.setMetadata(metadata, at: 0) }
    try batch.setMetadata(metadata, at: 0, for: .loopbackIPv6(port: 1))
  }

  @Test func ancillaryDataThatDoesNotFitIsToldPerMessage() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    try server.setOption(.packetInfo, to: true)
    try server.setOption(.receiveHopLimit, to: true)
    let client = try UDPSocket.connect(to: server.localAddress())
    #expect(try client.send([1, 2].span) == 2)
    var batch = MessageBatch(capacity: 2, messageCapacity: 8, ancillaryCapacity: 32)
    #expect(try batch.receive(from: server, until: .after(soon)) == 1)
    #expect(batch[0].flags == .ancillaryTruncated && batch[0].byteCount == 2)
    #expect(batch[0].metadata.interfaceIndex == 1 && batch[0].metadata.hopLimit == nil)
  }

  /// A server that hears on any address answers from the one that each message came to.
  @Test(arguments: UDPWay.allCases) func answersComeFromTheAddressThatWasAsked(_ way: UDPWay) throws {
    let server = try UDPSocket.bind(to: way == .v4 ? .anyIPv4(port: 0) : .any(port: 0))
    try server.setOption(.packetInfo, to: true)
    let client = try UDPSocket.bind(to: way.isIPv4 ? .loopback(port: 0) : .loopbackIPv6(port: 0))
    let port = try server.port()
    let asked = way.isIPv4 ? IPSocketAddress(IPv4Address(127, 0, 0, 9), port: port) : .loopbackIPv6(port: port)
    #expect(try client.send([1].span, to: asked) == 1)
    var batch = MessageBatch(capacity: 2, messageCapacity: 8, ancillaryCapacity: 320)
    #expect(try batch.receive(from: server, until: .after(soon)) == 1)
    var answer = OutgoingMetadata()
    answer.source = batch[0].metadata.destination?.ip
    try batch.setMetadata(answer, at: 0)
    #expect(try batch.send(on: server) == 1)
    let heard = try client.next()
    #expect(heard.bytes == [1] && IPSocketAddress(heard.info.address) == asked)
  }

  /// A count beyond the batch traps, instead of sending memory outside the batch.
  @Test func countsBeyondTheBatchTrap() async {
    await #expect(processExitsWith: .failure) {
      var batch = MessageBatch(capacity: 4, messageCapacity: 8)
      try batch.append([1].span)
      batch.sent += 2
    }
    await #expect(processExitsWith: .failure) {
      var batch = MessageBatch(capacity: 4, messageCapacity: 8)
      try batch.append([1].span)
      batch.sent += -1
    }
    await #expect(processExitsWith: .failure) {
      var batch = MessageBatch(capacity: 4, messageCapacity: 8)
      try batch.append([1].span)
      _ = RawDescriptor(-1).attemptSend(batch: &batch, atMost: -1)
    }
    // A count within the batch does not trap.
    await #expect(processExitsWith: .success) {
      var batch = MessageBatch(capacity: 4, messageCapacity: 8)
      try batch.append([1].span)
      try batch.append([2].span)
      _ = RawDescriptor(-1).attemptSend(batch: &batch, atMost: 0)
      _ = RawDescriptor(-1).attemptSend(batch: &batch, atMost: .max)
      batch.sent += 0
      batch.sent += 2
    }
  }
}
