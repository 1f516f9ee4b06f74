import Glibc
import SocketKit
import TestSupport
import Testing

/// Runs of a batch sent as one: the receiver must see what it would see of messages sent one by one.
@Suite(.exclusive) struct UDPJoinedTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Length and receiver (0 or 1) of each message.
    let messages: [(length: Int, receiver: Int)]
    var most = 64
    /// How many messages begin a run or go alone.
    let runs: [Int]
  }

  static let cases = [
    Case(testDescription: "equal", messages: Array(repeating: (64, 0), count: 10), runs: [10]),
    Case(testDescription: "the last shorter", messages: [(64, 0), (64, 0), (3, 0)], runs: [3]),
    Case(testDescription: "shorter, then longer", messages: [(64, 0), (3, 0), (64, 0)], runs: [2, 1]),
    Case(testDescription: "longer", messages: [(3, 0), (64, 0), (64, 0)], runs: [1, 2]),
    Case(testDescription: "empty ones", messages: [(0, 0), (0, 0), (5, 0), (0, 0), (5, 0)], runs: [1, 1, 1, 1, 1]),
    Case(testDescription: "two receivers", messages: [(9, 0), (9, 0), (9, 1), (9, 1), (9, 0)], runs: [2, 2, 1]),
    Case(testDescription: "in turn", messages: (0..<8).map { (9, $0 % 2) }, runs: Array(repeating: 1, count: 8)),
    Case(testDescription: "a limit", messages: Array(repeating: (8, 0), count: 10), most: 4, runs: [4, 4, 2]),
    Case(testDescription: "not asked for", messages: [(8, 0), (8, 0)], most: 1, runs: [1, 1]),
    Case(testDescription: "large ones", messages: Array(repeating: (1400, 0), count: 60), runs: [46, 14]),
  ]

  @Test(arguments: UDPWay.allCases, cases) func sameAsOneByOne(_ way: UDPWay, _ plan: Case) throws {
    let servers = SocketPair(try UDPSocket.bind(to: way.any), try UDPSocket.bind(to: way.any))
    let ports = [try servers.first.port(), try servers.second.port()]
    let client = try UDPSocket.bind(to: way.target(0))
    var batch = MessageBatch(capacity: plan.messages.count, messageCapacity: 1400)
    batch.mostJoined = plan.most
    for (index, message) in plan.messages.enumerated() {
      try batch.append(pattern(message.length, from: index).span, to: way.target(ports[message.receiver]))
    }
    let alone = plan.runs.prefix { $0 == 1 }.count
    #expect(batch.nextRun == (alone, plan.runs.first { $0 > 1 } ?? 0))
    var slot = 0
    for run in plan.runs {
      #expect(batch.run(at: slot) == run)
      slot += run
    }
    try client.send(batch: &batch, until: .after(soon))
    #expect(batch.sent == plan.messages.count && batch.mostJoined == plan.most)
    for (index, message) in plan.messages.enumerated() {
      let (bytes, info, _) =
        message.receiver == 0 ? try servers.first.nextWithMetadata() : try servers.second.nextWithMetadata()
      #expect(bytes == pattern(message.length, from: index) && info.length == message.length)
    }
    #expect(try isQuiet(servers.first) && isQuiet(servers.second))
  }

  /// What was received, into an address that the kernel wrote, goes back joined.
  @Test func anEcho() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    for index in 0..<20 { _ = try client.send(pattern(100, from: index).span) }
    var batch = MessageBatch(capacity: 32, messageCapacity: 128)
    batch.mostJoined = 64
    #expect(try server.receive(batch: &batch, until: .after(soon)) == 20)
    #expect(batch.nextRun == (0, 20))
    #expect(try server.send(batch: &batch) == .messages(20))
    for index in 0..<20 { #expect(try client.next().bytes == pattern(100, from: index)) }
  }

  /// More than the kernel cuts: it goes on one by one, loses none, and asks no more.
  @Test func aRefusal() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    try server.setOption(.receiveBuffer, to: 1 << 20)
    let client = try UDPSocket.connect(to: server.localAddress())
    var batch = MessageBatch(capacity: 300, messageCapacity: 4)
    batch.mostJoined = 1000
    for index in 0..<300 { try batch.append([UInt8(index & 255), UInt8(index >> 8)].span) }
    #expect(batch.run(at: 0) == 300)
    try client.send(batch: &batch, until: .after(soon))
    #expect(batch.sent == 300 && batch.mostJoined == 1)
    for index in 0..<300 { #expect(try server.next().bytes == [UInt8(index & 255), UInt8(index >> 8)]) }
  }

  /// A message with control data of its own goes alone, with it.
  @Test func ownControlData() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.receiveHopLimit, to: true)
    }
    let client = try UDPSocket.connect(to: server.localAddress())
    var batch = MessageBatch(capacity: 3, messageCapacity: 8, controlCapacity: 64)
    batch.mostJoined = 64
    for index in 0..<3 { try batch.append(pattern(8, from: index).span) }
    var metadata = OutgoingMetadata()
    metadata.hopLimit = 7
    var control = ControlBuffer<64>()
    try metadata.encode(into: &control, for: .ipv4)
    try control.withBytes { (bytes) throws(SocketError) in try batch.setControl(bytes, at: 1) }
    #expect(batch.nextRun == (3, 0))
    #expect(try client.send(batch: &batch) == .messages(3))
    var hops: [UInt8?] = []
    for _ in 0..<3 { hops.append(try server.nextWithMetadata().2.hopLimit) }
    #expect(hops[1] == 7 && hops[0] != 7 && hops[2] != 7)
  }

  /// The error of the first unsent message, with those before it sent.
  @Test func anErrorInTheMiddle() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.bind(to: .loopback(port: 0))
    var batch = MessageBatch(capacity: 4, messageCapacity: 8)
    batch.mostJoined = 64
    for index in 0..<2 { try batch.append(pattern(8, from: index).span, to: server.localAddress()) }
    // Broadcast without the option.
    let nowhere = try IPSocketAddress(#require(IPAddress("255.255.255.255")), port: 9)
    for index in 2..<4 { try batch.append(pattern(8, from: index).span, to: nowhere) }
    #expect(try client.send(batch: &batch) == .messages(2))
    #expect(batch.sent == 2)
    do throws(SocketError) {
      _ = try client.send(batch: &batch)
      Issue.record("sent to a broadcast address")
    } catch {
      #expect(error.code == .permissionDenied && error.operation == .send)
    }
    #expect(batch.sent == 2)
  }
}
