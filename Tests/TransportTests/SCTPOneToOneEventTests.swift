import Glibc
import SocketKit
import TestSupport
import Testing

/// Notifications of one-to-one sockets.
@Suite(.exclusive, .needsSCTP) struct SCTPOneToOneEventTests {
  private static let configure: @Sendable (borrowing SCTPSocket) throws(SocketError) -> Void = {
    (socket) throws(SocketError) in
    try socket.setOption(.event(.associationChange), of: .all, to: true)
    try socket.setOption(.event(.shutdown), of: .all, to: true)
    try socket.setOption(.receiveInfo, to: true)
  }

  /// ishidawataru/sctp's notification handler, on dialling and on listening: events that are switched on before tell of
  /// the beginning too, and accepted sockets have them from their listener.
  @Test func eventsFromTheBeginning() throws {
    for isSeveral in [false, true] {
      let listener =
        isSeveral
        ? try SCTPSocket.listen(on: [.local(1), .local(2)], configure: Self.configure)
        : try SCTPSocket.listen(on: .loopback(port: 0), configure: Self.configure)
      let client =
        isSeveral
        ? try SCTPSocket.connect(
          toAny: listener.option(.localAddresses), until: .after(sctpSoon), configure: Self.configure)
        : try SCTPSocket.connect(to: listener.localAddress(), until: .after(sctpSoon), configure: Self.configure)
      let server = try listener.accept(until: .after(sctpSoon))
      for isClient in [true, false] {
        let up = isClient ? try client.nextChange(.up) : try server.nextChange(.up)
        let status = isClient ? try client.option(.status) : try server.option(.status)
        #expect(up.association == status.association && up.outgoingStreams == status.outgoingStreams)
        let events = [SCTPEvent.associationChange, .shutdown, .senderDry]
        let on = try events.map { isClient ? try client.option(.event($0)) : try server.option(.event($0)) }
        #expect(on == [true, true, false])
      }
      try client.sendNow([1, 2], SCTPSendInfo(stream: 3))
      let (message, bytes) = try server.nextMessage()
      #expect(bytes == [1, 2] && message.info?.stream == 3)
      try client.close()
      let wish = try server.nextNotification { notification, _ -> SCTPAssociationID? in
        if case .shutdown(let association) = notification { association } else { nil }
      }
      #expect(wish.isOne)
      _ = try server.nextChange(.shutDown)
      let end = try server.next().0
      guard case .endOfStream = end else {
        Issue.record("\(end)")
        continue
      }
    }
  }

  /// With nothing switched on, nothing comes among the bytes.
  @Test func noEventsByThemselves() throws {
    try sctpPair().split { client, server in
      try client.say("a")
      #expect(try server.hear(1) == "a")
      try server.say("b")
      #expect(try client.hear(1) == "b")
      try client.close()
      #expect(server.ending().outcome == .endOfStream)
    }
  }

  /// The kernel takes a reason only from one-to-many and peeled-off sockets; who receives it may be any.
  @Test func anAbortIsTold() throws {
    let told: (borrowing SCTPSocket) throws(SocketError) -> Void = { (socket) throws(SocketError) in
      try socket.setOption(.event(.associationChange), of: .all, to: true)
    }
    let wanted = { (notification: SCTPNotification, buffer: [UInt8]) -> (SCTPAssociationChange, [UInt8]?)? in
      guard case .associationChange(let change) = notification, change.state != .up else { return nil }
      return (change, SCTPErrorCause.reason(in: buffer.span.extracting(change.causes.range)))
    }
    try sctpPair(server: told).split { client, server in
      try client.abort()
      let (change, reason) = try server.nextNotification(4096, wanted)
      #expect(change.state == .lost && change.cause == .userAbort && reason == [])
      let later = failureCode { try server.sendNow([1], SCTPSendInfo()) }
      #expect(later == .connectionReset)
    }
    let endpoint = try listeningEndpoint()
    for isTold in [true, false] {
      let client = try SCTPSocket.connect(to: endpoint.localAddress(), until: .after(sctpSoon)) {
        (socket) throws(SocketError) in
        if isTold { try told(socket) }
      }
      let id = try endpoint.nextChange(.up).association
      try endpoint.sendNow([7], SCTPSendInfo(association: id))
      let message = try client.nextMessage()
      #expect(message.bytes == [7])
      try endpoint.abort(id, reason: "because".utf8.span)
      _ = try endpoint.nextChange(.lost)
      if isTold {
        let (change, reason) = try client.nextNotification(4096, wanted)
        #expect(change.state == .lost && change.cause == .userAbort && reason == Array("because".utf8))
      } else {
        #expect(client.ending().error?.code == .connectionReset)
        #expect(client.ending().outcome == .endOfStream)
      }
    }
  }
}

@Suite(.exclusive, .needsSCTP) struct SCTPSignalTests {
  /// A message, or an end, for an association that is no more is an error, not a signal, which would end this process.
  @Test func noSendRaisesASignal() throws {
    let old = signal(SIGPIPE, SIG_DFL)
    defer { _ = signal(SIGPIPE, old) }
    let pair = try EndpointPair()
    try pair.far.abort(pair.farID)
    _ = try pair.near.nextChange(.lost)
    let info = SCTPSendInfo(association: pair.nearID)
    var batch = MessageBatch(capacity: 2, messageCapacity: 16, ancillaryCapacity: 80)
    try batch.append([1].span, info: info)
    var codes = [
      failureCode { try pair.near.sendNow([1], info) }, failureCode { _ = try pair.near.send([1].span, info: info) },
      failureCode { _ = try batch.send(on: pair.near) }, failureCode { try pair.near.shutdown(pair.nearID) },
      failureCode { try pair.near.abort(pair.nearID) },
    ]
    try EndpointPair().peel().split { near, far in
      try far.abort(reason: Span())
      _ = try near.nextChange(.lost)
      #expect(failureCode { try near.sendNow([1], SCTPSendInfo()) } == .connectionReset)
      codes += [
        failureCode { try near.sendNow([1], SCTPSendInfo()) }, failureCode { _ = try near.send([1].span) },
        failureCode { try near.abort(reason: Span()) },
      ]
    }
    try sctpPair().split { client, server in
      try server.abort()
      #expect(client.ending().error?.code == .connectionReset)
      codes += [
        failureCode { try client.sendNow([1], SCTPSendInfo()) }, failureCode { _ = try client.write([1].span) },
        failureCode { _ = try client.write(gathering: GatherList([1].span, [2].span)) },
      ]
    }
    #expect(codes.allSatisfy { $0 == .brokenPipe }, "\(codes)")
  }
}
