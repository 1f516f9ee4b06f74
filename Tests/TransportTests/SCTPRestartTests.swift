import Glibc
import SocketKit
import TestSupport
import Testing

/// A peer that forgets an association and begins it anew from the same addresses (RFC 9260, 5.2). Here it aborts, and a
/// filter keeps the ABORT from arriving, as when a host loses its power.
@Suite(.exclusive, .needsSCTP) struct SCTPRestartTests {
  /// Makes the client forget its association, unnoticed, and begin anew from its port with a message.
  private func restart(_ client: consuming SCTPSocket, saying bytes: [UInt8]) throws -> SCTPSocket {
    let own = try client.localAddress()
    let target = try client.remoteAddress()
    try client.abort()
    let again = try SCTPSocket.connect(to: target, from: own, until: .after(sctpSoon))
    try again.sendNow(bytes, SCTPSendInfo(stream: 1))
    return again
  }

  @Test func anEndpointIsToldAndGoesOn() throws {
    let server = try listeningEndpoint()
    let client = try SCTPSocket.connect(to: server.localAddress(), until: .after(sctpSoon))
    let id = try server.nextChange(.up).association
    try client.sendNow([1], SCTPSendInfo())
    _ = try server.nextMessage()
    try server.setOption(.filter, to: dropping(6))
    let again = try restart(client, saying: [2])
    let change = try server.nextChange(.restarted)
    #expect(change.association == id && !change.isEnd && change.outgoingStreams == 10)
    let (message, bytes) = try server.nextMessage()
    #expect(bytes == [2] && message.association == id && message.info?.sequence == 0)
    try server.sendNow([3], SCTPSendInfo(association: id))
    let answer = try again.nextMessage()
    #expect(answer.bytes == [3])
    let count = try server.option(.associationCount)
    #expect(count == 1)
  }

  /// Generic code gets the restart as a reset of the association, which then goes on.
  @Test func genericCodeIsResetOnceAndGoesOn() throws {
    let server = try listeningEndpoint()
    let client = try SCTPSocket.connect(to: server.localAddress(), until: .after(sctpSoon))
    let id = try server.nextChange(.up).association
    try server.setOption(.filter, to: dropping(6))
    let again = try restart(client, saying: [2])
    var buffer: [UInt8] = [0]
    var source: SCTPAssociationID?
    var info = MessageInfo()
    let reset = refusal {
      _ = try server.receive(into: buffer.mutableSpan, from: &source, &info, until: .after(sctpSoon))
    }
    #expect(reset == SocketError(.failure(errno: ECONNRESET), .receive) && source == id)
    _ = try server.receive(into: buffer.mutableSpan, from: &source, &info, until: .after(sctpSoon))
    #expect(buffer == [2] && source == id)
    try server.sendNow([3], SCTPSendInfo(association: id))
    let answer = try again.nextMessage()
    #expect(answer.bytes == [3])
  }

  /// A reset once, because messages may be missing; then it goes on.
  @Test func aPeeledOffSocketIsResetOnceAndGoesOn() throws {
    for isTyped in [false, true] {
      let server = try listeningEndpoint()
      let client = try SCTPSocket.connect(to: server.localAddress(), until: .after(sctpSoon))
      let peeled = try server.peelOff(server.nextChange(.up).association)
      try peeled.setOption(.filter, to: dropping(6))
      let again = try restart(client, saying: [2])
      var buffer: [UInt8] = [0]
      var info = MessageInfo()
      if isTyped {
        _ = try peeled.nextChange(.restarted)
      } else {
        let reset = failureCode { _ = try peeled.receive(into: buffer.mutableSpan, &info, until: .after(sctpSoon)) }
        #expect(reset == .connectionReset)
      }
      let message = try peeled.receive(into: buffer.mutableSpan, &info, until: .after(sctpSoon))
      #expect(message == .bytes(1) && buffer == [2])
      try peeled.send([3].span, until: .after(sctpSoon))
      let answer = try again.nextMessage()
      #expect(answer.bytes == [3])
      try again.close()
      let end = try peeled.receive(into: buffer.mutableSpan, &info, until: .after(sctpSoon))
      #expect(end == .endOfStream)
    }
  }

  /// The kernel tells a byte stream nothing: only who switched the event on learns that bytes may be missing.
  @Test func aOneToOneSocketIsToldByTheEventAlone() throws {
    for isOn in [false, true] {
      let listener = try SCTPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
        try socket.setOption(.event(.associationChange), of: .all, to: isOn)
      }
      let client = try SCTPSocket.connect(to: listener.localAddress(), until: .after(sctpSoon))
      let server = try listener.accept(until: .after(sctpSoon))
      if isOn { _ = try server.nextChange(.up) }
      try server.setOption(.filter, to: dropping(6))
      let again = try restart(client, saying: [2])
      if isOn { _ = try server.nextChange(.restarted) }
      let message = try server.nextMessage()
      #expect(message.bytes == [2])
      try server.say("on")
      #expect(try again.hear(2) == "on")
    }
  }
}
