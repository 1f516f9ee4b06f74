import Glibc
import SocketKit
import TestSupport
import Testing

/// What can be asked of and done to an association that lives.
@Suite(.exclusive, .needsSCTP) struct SCTPAssociationTests {
  /// The counterpart of ishidawataru/sctp's TestGetStatus.
  @Test func status() throws {
    try sctpPair(
      server: { (socket) throws(SocketError) in
        try socket.setOption(
          .initParameters, to: SCTPInitParameters(outgoingStreams: 5, maximumIncomingStreams: 12))
      },
      client: { (socket) throws(SocketError) in
        try socket.setOption(.initParameters, to: SCTPInitParameters(outgoingStreams: 17))
      }
    ).split { client, server in
      let near = try client.option(.status)
      let far = try server.option(.status)
      #expect(near.state == .established && far.state == .established)
      #expect(near.outgoingStreams == 12 && far.incomingStreams == 12)
      #expect(far.outgoingStreams == 5 && near.incomingStreams == 5)
      #expect(
        near.peerWindow > 10000 && near.fragmentationPoint > 1000 && near.missingChunks == 0
          && near.unacknowledgedChunks == 0)
      #expect(near.association.rawValue > 2 && near.association != far.association)
      #expect(near.primaryPath.address == (try client.remoteAddress()))
      #expect(near.primaryPath.state == .active && near.primaryPath.mtu > 1000)
      #expect(near.primaryPath.congestionWindow > 0 && near.primaryPath.retransmissionTimeout > .zero)
      #expect(try client.option(.pathInfo(to: client.remoteAddress())) == client.option(.status).primaryPath)
      try server.say("one")
      #expect(try client.hear(3) == "one")
      let parameters = try client.option(.associationParameters)
      #expect(parameters.peerAddressCount == 1 && parameters.peerWindow > 0 && parameters.localWindow > 0)
    }
    let nobody = try SCTPSocket.open(for: .loopback(port: 0))
    #expect(refusal { _ = try nobody.option(.status) }?.code == .invalidArgument)
    #expect(refusal { _ = try nobody.option(.statistics) }?.code == .invalidArgument)
    #expect(refusal { _ = try nobody.option(.primaryAddress) }?.code == .invalidArgument)
  }

  @Test func statistics() throws {
    try sctpPair().split { client, server in
      for _ in 0..<5 {
        try client.say("x")
        _ = try server.hear(1)
        try server.say("y")
        _ = try client.hear(1)
      }
      let seen = try client.option(.statistics)
      #expect(seen.orderedChunksSent == 5 && seen.orderedChunksReceived == 5)
      #expect(seen.packetsSent >= 5 && seen.packetsReceived >= 5 && seen.controlChunksSent >= 2)
      #expect(seen.unorderedChunksSent == 0 && seen.retransmittedChunks == 0)
      #expect(seen.acknowledgementsSent + seen.acknowledgementsReceived > 0)
    }
  }

  /// Stream writes go as the default says; the peer sees it.
  @Test func defaultSendInfo() throws {
    try sctpPair().split { client, server in
      #expect(try client.option(.defaultSendInfo).stream == 0)
      var info = SCTPSendInfo(stream: 3, payloadProtocol: 0xcafe)
      info.isUnordered = true
      info.context = 9
      info.expiry = .after(.seconds(20))
      try client.setOption(.defaultSendInfo, to: info)
      var seen = try client.option(.defaultSendInfo)
      seen.association = info.association
      #expect(seen == info)
      try server.setOption(.receiveInfo, to: true)
      try client.say("x")
      var bytes = [UInt8](repeating: 0, count: 8)
      guard case .message(let message) = try server.receive(into: bytes.mutableSpan, until: .after(sctpSoon)) else {
        Issue.record("no message")
        return
      }
      #expect(message.info?.stream == 3 && message.info?.payloadProtocol == 0xcafe && message.info?.isUnordered == true)
      info.key = 1
      #expect(refusal { try client.setOption(.defaultSendInfo, to: info) }?.code == .invalidArgument)
      info.key = nil
      info.stream = 60000
      try client.setOption(.defaultSendInfo, to: info)
      #expect(refusal { try client.say("x") }?.code == .invalidArgument)
    }
  }

  @Test func streamsAreResetAndAdded() throws {
    let configure: (borrowing SCTPSocket) throws -> Void = { (socket) throws(SocketError) in
      try socket.setOption(.reconfigurationSupported, to: true)
      try socket.setOption(.streamChanges, to: [.resetStreams, .resetAssociation, .addStreams])
    }
    try sctpPair(server: configure, client: configure).split { client, server in
      let before = try client.option(.status)
      try client.perform(.addStreams(outgoing: 3))
      let deadline = Deadline.after(sctpSoon)
      while try server.option(.status).incomingStreams != before.outgoingStreams + 3, !deadline.hasPassed {
        sleep(milliseconds: 1)
      }
      #expect(try client.option(.status).outgoingStreams == before.outgoingStreams + 3)
      #expect(try server.option(.status).incomingStreams == before.outgoingStreams + 3)
      try waitingWhileBusy { try client.perform(.resetStreams(.outgoing, numbers: [0, 1])) }
      try waitingWhileBusy { try client.perform(.resetStreams(.incoming)) }
      try waitingWhileBusy { try client.perform(.resetAssociation) }
      try waitingWhileBusy { try client.perform(.addStreams(incoming: 2)) }
      while try server.option(.status).outgoingStreams != before.incomingStreams + 2, !deadline.hasPassed {
        sleep(milliseconds: 1)
      }
      #expect(try client.option(.status).incomingStreams == before.incomingStreams + 2)
      #expect(refusal { try client.perform(.resetStreams(.outgoing, numbers: [60000])) }?.code == .invalidArgument)
      #expect(refusal { try client.perform(.addStreams()) }?.code == .invalidArgument)
      try client.say("still here")
      #expect(try server.hear(10) == "still here")
      try client.setOption(.schedulerValue(ofStream: 1), to: 7)
      #expect(refusal { try client.setOption(.schedulerValue(ofStream: 60000), to: 7) }?.code == .invalidArgument)
    }
    try sctpPair().split { client, server in
      #expect(refusal { try client.perform(.resetStreams(.outgoing)) }?.code == .notSupported)
      #expect(refusal { try client.perform(.addStreams(outgoing: 1)) }?.code == .notSupported)
      #expect(refusal { try client.perform(.resetAssociation) }?.code == .notSupported)
      _ = server
    }
  }

  /// One request at a time: the next must wait for the answer, and for what is to be sent.
  private func waitingWhileBusy(_ body: () throws -> Void) throws {
    let deadline = Deadline.after(sctpSoon)
    while let error = refusal(body) {
      guard error.errno == EINPROGRESS || error.errno == EAGAIN, !deadline.hasPassed else { throw error }
      sleep(milliseconds: 1)
    }
  }

  @Test func gracefulEnd() throws {
    try sctpPair().split { client, server in
      try client.say("last words")
      let ending = try client.close(until: .after(sctpSoon))
      #expect(ending == .graceful)
      #expect(try server.hear(10) == "last words")
      #expect(server.ending().outcome == .endOfStream)
      #expect(server.ending().outcome == .endOfStream)
      #expect(refusal { try server.say("too late") }?.code == .brokenPipe)
    }
  }

  @Test func abortedEnd() throws {
    try sctpPair().split { client, server in
      try client.abort()
      #expect(server.ending().error?.code == .connectionReset)
      // Told once by the kernel, which then would let reads wait for ever.
      for _ in 0..<2 { #expect(server.ending().outcome == .endOfStream) }
      #expect(refusal { try server.say("too late") }?.code == .brokenPipe)
    }
    try sctpPair().split { client, server in
      try client.abort()
      var first: [UInt8] = [0]
      var second: [UInt8] = [0]
      sleep(milliseconds: 20)
      let error = refusal { _ = try server.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan)) }
      #expect(error?.code == .connectionReset)
      #expect(try server.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan)) == .endOfStream)
    }
    // The peer was faster.
    try sctpPair().split { client, server in
      try server.abort()
      let error = client.closing(within: sctpSoon).error
      #expect(error?.code == .connectionReset && error?.operation == .close)
    }
  }

  /// A peer that reads nothing keeps the last bytes from arriving: the time ends it.
  @Test func endWithTimeLimit() throws {
    try sctpPair().split { client, server in
      let block = [UInt8](repeating: 1, count: 16384)
      while try client.write(block.span) != nil {}
      let start = milliseconds()
      let ending = try client.close(until: .after(.milliseconds(150)))
      #expect(ending == .aborted)
      #expect(milliseconds() - start >= 149)
      var seen = 0
      var buffer = [UInt8](repeating: 0, count: 65536)
      var error: SocketError?
      while error == nil {
        do throws(SocketError) {
          guard case .bytes(let count) = try server.read(into: buffer.mutableSpan, until: .after(sctpSoon)) else {
            break
          }
          seen += count
        } catch let failure {
          error = failure
        }
      }
      #expect(error?.code == .connectionReset && seen > 0)
    }
    try sctpPair().split { client, server in
      let block = [UInt8](repeating: 1, count: 16384)
      while try client.write(block.span) != nil {}
      let control = WaitControl()
      control.cancel()
      let error = client.closing(within: sctpSoon, control: control).error
      #expect(error?.code == .cancelled)
      _ = server
    }
  }

  /// ishidawataru/sctp's TestSCTPCloseRecv, and what its issues 4, 9, 40, 41 and 89 ask for: ending a receive that
  /// waits.
  @Test func endingAReadThatWaits() throws {
    try sctpPair().split { client, server in
      let control = WaitControl()
      let thread = spawn {
        sleep(milliseconds: 30)
        control.cancel()
      }
      var byte: [UInt8] = [0]
      let error = refusal {
        _ = try server.read(into: byte.mutableSpan, until: .after(sctpSoon).cancellable(by: control))
      }
      thread.join()
      #expect(error?.code == .cancelled)
      try client.say("!")
      #expect(try server.hear(1) == "!")
    }
    let listener = try SCTPSocket.listen(on: .loopback(port: 0))
    let control = WaitControl()
    let thread = spawn {
      sleep(milliseconds: 30)
      control.cancel()
    }
    let error = refusal { _ = try listener.accept(until: .after(sctpSoon).cancellable(by: control)) }
    thread.join()
    #expect(error?.code == .cancelled)
  }

  /// ishidawataru/sctp's TestSCTPConcurrentAccept.
  @Test func concurrentAccept() throws {
    let listener = try SCTPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    let clients = (0..<4).map { _ in
      spawn {
        for _ in 0..<5 { _ = try? SCTPSocket.connect(to: address, until: .after(sctpSoon)) }
      }
    }
    var accepted = 0
    while accepted < 20 {
      let socket = try listener.accept(until: .after(sctpSoon))
      accepted += 1
      #expect(socket.ending().outcome == .endOfStream)
    }
    for client in clients { client.join() }
    let isEmpty = try listener.accept() == nil
    #expect(isEmpty)
  }
}
