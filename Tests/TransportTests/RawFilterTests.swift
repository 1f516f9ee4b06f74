import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct RawFilterTests {
  /// A datagram passes when its first byte, after UDP's header, is this.
  private func first(_ byte: UInt32) -> [BPFInstruction] {
    [.load(.byte, at: 8), .jump(if: .equal(byte), then: 0, else: 1), .accept, .drop]
  }

  private func receive(_ socket: borrowing UDPSocket, within time: Duration) throws -> UInt8? {
    var buffer: [UInt8] = [0, 0]
    var info = MessageInfo()
    do throws(SocketError) {
      _ = try socket.receive(into: buffer.mutableSpan, &info, until: .after(time))
      return buffer[0]
    } catch {
      #expect(error.code == .timedOut)
      return nil
    }
  }

  @Test func whatAFilterRefusesNeverArrives() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    try server.setOption(.filter, to: first(42))
    for byte: UInt8 in [1, 42, 2] { _ = try client.send([byte].span) }
    let passed = try receive(server, within: .seconds(5))
    // An empty datagram has no such byte: loading beyond the end drops it.
    _ = try client.send(Span())
    let none = try receive(server, within: .milliseconds(50))
    #expect(passed == 42 && none == nil)
    // Another one takes its place, and without one everything passes.
    try server.setOption(.filter, to: first(7))
    #expect(try server.option(.filter) == first(7) && client.option(.filter) == nil)
    for byte: UInt8 in [42, 7] { _ = try client.send([byte].span) }
    let other = try receive(server, within: .seconds(5))
    try server.setOption(.filter, to: nil)
    _ = try client.send([1].span)
    let free = try receive(server, within: .seconds(5))
    #expect(try server.option(.filter) == nil)
    #expect(other == 7 && free == 1)
  }

  @Test func aFilterCutsWhatItAccepts() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = try UDPSocket.connect(to: server.localAddress())
    try server.setOption(
      .filter, to: [.loadLength, .jump(if: .greater(11), then: 0, else: 1), .accept(first: 10), .accept])
    _ = try client.send([1, 2, 3, 4].span)
    var buffer: [UInt8] = [0, 0, 0, 0]
    var info = MessageInfo()
    let count = try server.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(count == 2 && buffer == [1, 2, 0, 0])
  }

  @Test func aListenerRefusesByFilterToo() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let everything: [BPFInstruction] = [.drop]
    if let error = failure(
      SocketError.self, { () throws(SocketError) in try listener.setOption(.filter, to: everything) })
    {
      #expect(error.code == .permissionDenied)
      return unavailable("a filter on a TCP socket: \(error)")
    }
    let address = try listener.localAddress()
    #expect(throws: SocketError(code: .timedOut, .connect).with(address: "\(address)")) {
      _ = try TCPSocket.connect(to: address, until: .after(.milliseconds(100)))
    }
    try listener.setOption(.filter, to: nil)
    _ = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
  }

  @Test func badProgramsAreTypedErrors() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    let programs: [[BPFInstruction]] = [
      [], [BPFInstruction](repeating: .accept, count: 4097), [.load(.byte, at: 0)],
      [.jump(if: .equal(0), then: 9, else: 9), .drop], [BPFInstruction(code: 0xffff, operand: 0), .drop],
    ]
    for program in programs {
      let error = failure(SocketError.self) { () throws(SocketError) in try socket.setOption(.filter, to: program) }
      #expect(error?.code == .invalidArgument && error?.operation == .setOption, "\(program.count)")
    }
    let none = failure(SocketError.self) { () throws(SocketError) in try socket.setOption(.filter, to: nil) }
    #expect(none?.code == .noSuchPath)
  }

  /// The kernel is asked for the length first, and the filter may be gone when it is read.
  @Test func aFilterThatAnotherThreadRemovesIsNeverEmpty() throws {
    let socket = Shared(try UDPSocket.bind(to: .loopback(port: 0)))
    let program = first(42)
    let changes = ThreadResult {
      for _ in 0..<80_000 {
        try? socket.value.setOption(.filter, to: program)
        try? socket.value.setOption(.filter, to: nil)
      }
    }
    var seen: Set<Int> = []
    for _ in 0..<80_000 { seen.insert(try socket.value.option(.filter)?.count ?? -1) }
    changes.join()
    #expect(seen.isSubset(of: [-1, program.count]))
  }

  @Test func aLockedFilterStays() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    try server.setOption(.filter, to: first(42))
    try server.setOption(.isFilterLocked, to: true)
    let drop: [BPFInstruction] = [.drop]
    let set = failure(SocketError.self) { () throws(SocketError) in try server.setOption(.filter, to: drop) }
    let removed = failure(SocketError.self) { () throws(SocketError) in try server.setOption(.filter, to: nil) }
    #expect(set?.code == .permissionDenied && removed?.code == .permissionDenied)
    #expect(try server.option(.isFilterLocked) && server.option(.filter) == first(42))
    #expect(throws: SocketError(.failure(errno: EPERM), .setOption)) {
      try server.setOption(.isFilterLocked, to: false)
    }
    let free = try UDPSocket.bind(to: .loopback(port: 0))
    try free.setOption(.isFilterLocked, to: false)
    #expect(try !free.option(.isFilterLocked))
  }

  /// sockaddr_ll: family, protocol in network order, index …
  private func link(_ index: UInt32) -> AnySocketAddress? {
    var bytes = [UInt8](repeating: 0, count: 20)
    bytes[0] = 17
    bytes[2] = 0x08
    bytes.put(index, at: 4)
    return AnySocketAddress(sockaddr: bytes.span.integerBytes)
  }

  @Test func aPacketSocketSeesOnlyWhatTheFilterLetsThrough() throws {
    let kind = SocketKind(AddressFamily(rawValue: 17), .datagram)
    do throws(SocketError) {
      _ = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(kind)
    } catch {
      return unavailable("\(error)")
    }
    var tap = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(kind)
    // From the IP header on: protocol 253. Attached before the socket is bound, so that nothing slips in.
    try tap.setOption(.filter, to: [.load(.byte, at: 9), .jump(if: .equal(253), then: 0, else: 1), .accept, .drop])
    let index = try #require(InterfaceNames.index(of: "lo"))
    try tap.bind(to: try #require(link(index)))
    let udp = try UDPSocket.bind(to: .loopback(port: 0))
    _ = try udp.send([9].span, to: udp.localAddress())
    let raw = try RawIPSocket.connect(.experiment, to: .loopback(port: 0))
    _ = try raw.send([1, 2, 3].span)
    var buffer = [UInt8](repeating: 0, count: 256)
    var info = MessageInfo()
    let count = try tap.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    let header = IPv4Header(buffer.span.extracting(first: count))
    #expect(header?.protocolNumber == .experiment && count == 23)
    #expect(info.address.family == AddressFamily(rawValue: 17))
    // Packet sockets refuse MSG_CMSG_CLOEXEC, in batches too.
    for _ in 0..<3 { _ = try raw.send([1, 2, 3].span) }
    var batch = MessageBatch(capacity: 8, messageCapacity: 256)
    let outcome = try batch.receive(from: tap)
    #expect(outcome == 3)
  }
}
