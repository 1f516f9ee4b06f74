import CSocketKit
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
    for run in plan.runs {
      let next = batch.nextRun
      #expect(run > 1 ? next == (0, run) : next.alone > 0)
      batch.sent += run
    }
    batch.sent = 0
    try batch.send(on: client, until: .after(soon))
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
    #expect(try batch.receive(from: server, until: .after(soon)) == 20)
    #expect(batch.nextRun == (0, 20))
    #expect(try batch.send(on: server) == 20)
    for index in 0..<20 { #expect(try client.next().bytes == pattern(100, from: index)) }
  }

  /// More than the kernel cuts: it goes on one by one and loses none.
  @Test func aRefusal() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    try server.setOption(.receiveBuffer, to: 1 << 20)
    let client = try UDPSocket.connect(to: server.localAddress())
    var batch = MessageBatch(capacity: 300, messageCapacity: 4)
    batch.mostJoined = 1000
    for index in 0..<300 { try batch.append([UInt8(index & 255), UInt8(index >> 8)].span) }
    #expect(batch.nextRun == (0, 300))
    try batch.send(on: client, until: .after(soon))
    #expect(batch.sent == 300 && batch.mostJoined == 1000)
    for index in 0..<300 { #expect(try server.next().bytes == [UInt8(index & 255), UInt8(index >> 8)]) }
  }

  /// A message with ancillary data of its own goes alone, with it.
  @Test func ownAncillaryData() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.receiveHopLimit, to: true)
    }
    let client = try UDPSocket.connect(to: server.localAddress())
    var batch = MessageBatch(capacity: 3, messageCapacity: 8, ancillaryCapacity: 64)
    batch.mostJoined = 64
    for index in 0..<3 { try batch.append(pattern(8, from: index).span) }
    var metadata = OutgoingMetadata()
    metadata.hopLimit = 7
    var ancillary = AncillaryBuffer<64>()
    try metadata.encode(into: &ancillary, for: .loopback(port: 1))
    try batch.setAncillary(ancillary.bytes, at: 1)
    #expect(batch.nextRun == (3, 0))
    #expect(try batch.send(on: client) == 3)
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
    let nowhere = try #require(IPAddress("255.255.255.255")?.with(port: 9))
    for index in 2..<4 { try batch.append(pattern(8, from: index).span, to: nowhere) }
    #expect(try batch.send(on: client) == 2)
    #expect(batch.sent == 2)
    do throws(SocketError) {
      _ = try batch.send(on: client)
      Issue.record("sent to a broadcast address")
    } catch {
      #expect(error.code == .permissionDenied && error.operation == .send)
    }
    #expect(batch.sent == 2)
  }

  /// The sizes of the datagrams that a receiver with coalescing gets, with a list for each message. The datagrams of
  /// one list were sent as one, and the kernel cut them.
  private func sizes(_ socket: borrowing UDPSocket, _ bytes: Int) throws -> [[Int]] {
    var found: [[Int]] = []
    while found.joined().reduce(0, +) < bytes {
      let (message, _, metadata) = try socket.nextWithMetadata()
      var parts: [Int] = []
      message.span.forEachDatagram(segmentSize: metadata.segmentSize) { parts.append($0.count) }
      found.append(parts)
    }
    #expect(try isQuiet(socket))
    return found
  }

  private func coalescingReceiver() throws -> UDPSocket {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    try socket.setOption(.coalescing, to: true)
    return socket
  }

  /// The socket's own segment size cuts each message, however and whenever the program sets it.
  @Test func aSegmentSizeOfTheProgramCutsEveryMessage() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    var batch = MessageBatch(capacity: 2, messageCapacity: 3000)
    batch.mostJoined = 64
    for index in 0..<2 { try batch.append(pattern(3000, from: index).span) }
    func sent() throws -> [Int] {
      batch.sent = 0
      try batch.send(on: client, until: .after(soon))
      var found: [Int] = []
      while found.reduce(0, +) < 6000 { found.append(try server.next(room: 65535).bytes.count) }
      #expect(try isQuiet(server))
      return found
    }
    #expect(try sent() == [3000, 3000])
    try client.setOption(.segmentSize, to: 1000)
    #expect(try sent() == Array(repeating: 1000, count: 6))
    try client.setOption(.segmentSize, to: 0)
    #expect(try sent() == [3000, 3000])
    let number: [UInt8] = [0xdc, 5, 0, 0]  // 1500
    try client.setOption(SocketOption(bytes: CSK_UDP_SEGMENT, level: CSK_IPPROTO_UDP), to: number)
    #expect(try sent() == [1500, 1500, 1500, 1500])
    try client.setOption(.segmentSize, to: 0)
    #expect(try sent() == [3000, 3000])
    #expect(client.descriptor.writeOption(CSK_IPPROTO_UDP, CSK_UDP_SEGMENT, 1000 as Int32) == .zero)
    #expect(try sent() == Array(repeating: 1000, count: 6))
  }

  /// A cork makes one datagram of everything that is sent until the option is switched off.
  @Test func aCorkCollectsAllMessages() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    var batch = MessageBatch(capacity: 3, messageCapacity: 100)
    batch.mostJoined = 64
    for index in 0..<3 { try batch.append(pattern(100, from: index).span) }
    try batch.send(on: client, until: .after(soon))
    for index in 0..<3 { #expect(try server.next().bytes == pattern(100, from: index)) }
    try client.setOption(.cork, to: true)
    batch.sent = 0
    try batch.send(on: client, until: .after(soon))
    #expect(try isQuiet(server))
    try client.setOption(.cork, to: false)
    #expect(try server.next().bytes == pattern(100) + pattern(100, from: 1) + pattern(100, from: 2))
  }

  /// A message with a segment size of its own is cut by that, beside others that are joined.
  @Test func aMessagesOwnSegmentSizeIsKept() throws {
    let server = try coalescingReceiver()
    let client = try UDPSocket.connect(to: server.localAddress())
    var batch = MessageBatch(capacity: 5, messageCapacity: 3000, ancillaryCapacity: 160)
    batch.mostJoined = 64
    for index in 0..<5 { try batch.append(pattern(3000, from: index).span) }
    try batch.setSegmentSize(1000, at: 1)
    var metadata = OutgoingMetadata()
    metadata.segmentSize = 1500
    try batch.setMetadata(metadata, at: 2, for: server.localAddress())
    try batch.send(on: client, until: .after(soon))
    #expect(try sizes(server, 15_000) == [[3000], [1000, 1000, 1000], [1500, 1500], [3000, 3000]])
  }

  /// Any remote can send from port 0. A message to that port fails as it does alone, and others are joined as before.
  @Test func oneBadDestinationLeavesJoiningAsItIs() throws {
    let server = try coalescingReceiver()
    let client = try UDPSocket.bind(to: .loopback(port: 0))
    var batch = MessageBatch(capacity: 8, messageCapacity: 100)
    batch.mostJoined = 64
    for index in 0..<2 { try batch.append(pattern(100, from: index).span, to: IPSocketAddress.loopback(port: 0)) }
    for index in 2..<8 { try batch.append(pattern(100, from: index).span, to: server.localAddress()) }
    for skipped in 0..<2 {
      let error = failure(SocketError.self) { () throws(SocketError) in _ = try batch.send(on: client) }
      #expect(error?.code == .invalidArgument && error?.errno == EINVAL && batch.sent == skipped)
      batch.sent += 1
    }
    #expect(try batch.send(on: client) == 6)
    #expect(try sizes(server, 600) == [Array(repeating: 100, count: 6)])
    batch.sent = 0
    batch.sent += 2
    #expect(try batch.send(on: client) == 6)
    #expect(try sizes(server, 600) == [Array(repeating: 100, count: 6)])
    #expect(batch.mostJoined == 64)
  }

  /// A path that refuses: its messages go one by one, joining is tried less and less often there, and works elsewhere.
  @Test func joiningIsTriedAgainAfterARefusal() throws {
    let made = try socketsInNamespace(mtu: 1500) {
      let server = try UDPSocket.bind(to: .loopback(port: 0))
      try server.setOption(.coalescing, to: true)
      let client = try UDPSocket.connect(to: server.localAddress())
      return [server.released(), client.released()]
    }
    guard let made else { return }
    let server = adopt(made[0])
    let client = adopt(made[1])
    // Longer than the path's MTU: the kernel fragments these, and cuts none.
    var large = MessageBatch(capacity: 2, messageCapacity: 2000)
    large.mostJoined = 64
    for index in 0..<2 { try large.append(pattern(2000, from: index).span) }
    for _ in 0..<5 {
      large.sent = 0
      #expect(try large.send(on: client) == 2)
      #expect(try sizes(server, 4000) == [[2000], [2000]])
    }
    // Five runs: tried, passed over, tried, passed over twice.
    large.removeAll()
    for index in 0..<2 { try large.append(pattern(1000, from: index).span) }
    #expect(try large.send(on: client) == 2)
    #expect(try sizes(server, 2000) == [[1000, 1000]])
  }
}
