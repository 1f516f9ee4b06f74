import SocketKit
import TestSupport
import Testing

/// What bytes written as a stream come to.
@Suite(.exclusive, .needsSCTP) struct SCTPWritingTests {
  @Test func aWriteIsCutToOneMessage() throws {
    try sctpPair().split { client, server in
      let bytes = [UInt8](repeating: 7, count: 300_000)
      #expect(try client.write(bytes.span) == SCTPSocket.writeLimit)
      let head = [UInt8](repeating: 8, count: 10)
      #expect(try client.write(gathering: GatherList(head.span, bytes.span)) == 10)
      #expect(try client.write(gathering: GatherList(head.span, head.span)) == 20)
      let none: [UInt8] = []
      #expect(try client.write(none.span) == 0)
      #expect(try client.write(gathering: GatherList(none.span, none.span)) == 0)
      var seen = [UInt8](repeating: 0, count: SCTPSocket.writeLimit + 30)
      try server.readExactly(into: seen.mutableSpan, until: .after(sctpSoon))
      #expect(seen.suffix(31).elementsEqual([7] + [UInt8](repeating: 8, count: 30)))
    }
  }

  /// EMSGSIZE never reaches a stream's writer.
  @Test func smallSendBuffersAndNoFragments() throws {
    try sctpPair(client: { (socket) throws(SocketError) in try socket.setOption(.sendBuffer, to: 1) }).split {
      client, server in
      let room = try client.option(.sendBuffer)
      #expect(room < SCTPSocket.writeLimit)
      let sent = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let writer = SendableBox(client)
      let thread = spawn { try? writer.socket.writeAll(sent.span, until: .after(sctpSoon)) }
      var seen = [UInt8](repeating: 0, count: sent.count)
      try server.readExactly(into: seen.mutableSpan, until: .after(sctpSoon))
      thread.join()
      #expect(seen == sent)
    }
    try sctpPair(client: { (socket) throws(SocketError) in
      try socket.setOption(.disableFragments, to: true)
      try socket.setOption(.maximumSegment, to: 1000)
    }).split { client, server in
      let bytes = [UInt8](repeating: 7, count: 20_000)
      guard let count = try client.write(bytes.span) else {
        Issue.record("a first write would block")
        return
      }
      #expect(count <= 1000 && count > 500)
      try client.writeAll(bytes.span, until: .after(sctpSoon))
      var seen = [UInt8](repeating: 0, count: count + bytes.count)
      try server.readExactly(into: seen.mutableSpan, until: .after(sctpSoon))
      #expect(seen.allSatisfy { $0 == 7 })
    }
  }

  private final class SendableBox: Sendable {
    let socket: SCTPSocket
    init(_ socket: consuming SCTPSocket) { self.socket = socket }
  }

  /// A short read leaves the rest of the message, and does not run into the next one.
  @Test func readsWithoutBoundaries() throws {
    try sctpPair().split { client, server in
      try client.say("abcdef")
      try client.say("gh")
      #expect(try server.hear(4) == "abcd")
      #expect(try server.hear(4) == "efgh")
    }
  }
}

/// Each row: what is done, and what it is called.
@Suite(.exclusive, .needsSCTP) struct SCTPErrorTests {
  @Test func connecting() throws {
    let nobody = try SCTPSocket.listen(on: .loopback(port: 0)).localAddress()
    for address in [nobody, IPSocketAddress.loopbackIPv6(port: nobody.port)] {
      #expect(
        refusal { _ = try SCTPSocket.connect(to: address, until: .after(sctpSoon)) }?.code == .connectionRefused)
    }
    #expect(
      refusal { _ = try SCTPSocket.connect(toAny: [nobody], until: .after(sctpSoon)) }?.code == .connectionRefused)
    let pending = try SCTPSocket.startConnecting(toAny: [nobody])
    let error = failure(of: pending)
    #expect(error?.code == .connectionRefused && error?.operation == .connect)
    #expect(
      refusal { _ = try SCTPSocket.connect(toAny: [], until: .after(sctpSoon)) }?.code == .invalidArgument)
    let ports = [IPSocketAddress.local(1, port: 1000), .local(2, port: 1001)]
    #expect(
      refusal { _ = try SCTPSocket.connect(toAny: ports, until: .after(sctpSoon)) }?.code == .invalidArgument)
    #expect(refusal { _ = try SCTPSocket.connect(toAny: [nobody], until: .past) }?.code == .timedOut)
    let strange = IPSocketAddress(IPv4Address(bits: 0xc000_0201), port: 0)
    #expect(
      refusal { _ = try SCTPSocket.connect(toAny: [nobody], from: [strange], until: .after(sctpSoon)) }?.code
        == .addressNotAvailable)
    #expect(
      refusal { _ = try SCTPSocket.connect(to: nobody, from: strange, until: .after(sctpSoon)) }?.code
        == .addressNotAvailable)
  }

  @Test func listening() throws {
    let taken = try SCTPSocket.listen(on: .loopback(port: 0))
    let address = try taken.localAddress()
    #expect(refusal { _ = try SCTPSocket.listen(on: address) }?.code == .addressInUse)
    #expect(refusal { _ = try SCTPSocket.listen(on: [.local(2, port: address.port), address]) }?.code == .addressInUse)
    #expect(refusal { _ = try SCTPSocket.listen(on: []) }?.code == .invalidArgument)
    let ports = [IPSocketAddress.local(1, port: 7000), .local(2, port: 7001)]
    #expect(refusal { _ = try SCTPSocket.listen(on: ports) }?.code == .invalidArgument)
    #expect(refusal { _ = try SCTPSocket.listen(on: [.loopback(port: 0)], backlog: -1) }?.code == .invalidArgument)
    let strange = IPSocketAddress(IPv4Address(bits: 0xc000_0201), port: 0)
    #expect(refusal { _ = try SCTPSocket.listen(on: strange) }?.code == .addressNotAvailable)
    let several = refusal { _ = try SCTPSocket.listen(on: [.loopback(port: 0), strange]) }
    #expect(several?.code == .addressNotAvailable && several?.operation == .bindAddresses)
    // A restart need not wait: reuse-address is set.
    try taken.close()
    _ = try SCTPSocket.listen(on: address)
  }

  // The kernel took a backlog of 0 for "listen no more", and said nothing.
  @Test func backlogZeroStillListens() throws {
    let listener = try SCTPSocket.listen(on: .loopback(port: 0), backlog: 0)
    _ = try SCTPSocket.connect(to: listener.localAddress(), until: .after(sctpSoon))
    _ = try listener.accept(until: .after(sctpSoon))
  }

  @Test func kinds() throws {
    let tcp = try TCPSocket.listen(on: .loopback(port: 0))
    #expect(refusal { _ = try SCTPSocket(adopting: tcp.descriptor.duplicate()) }?.code == .wrongSocketKind)
    #expect(refusal { _ = try Listener<SCTPSocket>(adopting: tcp.descriptor.duplicate()) }?.code == .wrongSocketKind)
    let many = try RawDescriptor.open(SocketKind(.ipv4, .sequencedPacket, protocolNumber: 132))
    #expect(refusal { _ = try SCTPSocket(adopting: many.raw.duplicate()) }?.code == .wrongSocketKind)
    #expect(
      refusal { _ = try RawDescriptor.open(SocketKind(.ipv4, .datagram, protocolNumber: 132)) }?.code
        == .protocolNotSupported)
    let raw = try SCTPSocket.listen(on: .loopback(port: 0)).release()
    let adopted = try Listener<SCTPSocket>(adopting: raw)
    let address = try adopted.localAddress()
    _ = try SCTPSocket.connect(to: address, until: .after(sctpSoon))
  }

  @Test func notConnected() throws {
    let socket = try SCTPSocket.open(for: .loopback(port: 0))
    #expect(refusal { try socket.say("x") }?.code == .brokenPipe)
    #expect(refusal { _ = try socket.remoteAddress() }?.code == .notConnected)
    #expect(refusal { _ = try socket.option(.peerAddresses) }?.code == .invalidArgument)
    #expect(refusal { try socket.setOption(.primaryAddress, to: .loopback(port: 1)) }?.code == .invalidArgument)
  }

  /// The protocol has no half-close: ending the writing ends the association.
  @Test func shuttingDown() throws {
    try sctpPair().split { client, server in
      try client.shutdown(.write)
      #expect(server.ending().outcome == .endOfStream)
      #expect(refusal { try server.say("answer") }?.code == .brokenPipe)
      // A read does not find the end that the own shutdown makes, until a write finds that there is no association.
      var byte: [UInt8] = [0]
      #expect(try client.read(into: byte.mutableSpan) == nil)
      let deadline = Deadline.after(sctpSoon)
      while (try? client.option(.status)) != nil, !deadline.hasPassed { sleep(milliseconds: 1) }
      #expect(refusal { try client.say("more") }?.code == .brokenPipe)
      #expect(try client.read(into: byte.mutableSpan) == .endOfStream)
    }
  }
}
