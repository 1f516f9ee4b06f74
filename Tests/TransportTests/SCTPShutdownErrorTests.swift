import Glibc
import SocketKit
import TestSupport
import Testing

/// Which error a send has after a shutdown: ESHUTDOWN while the association is shutting down, EPIPE afterwards.
@Suite(.exclusive, .needsSCTP) struct SCTPShutdownErrorTests {
  private static let shuttingDown = SocketError(.failure(errno: ESHUTDOWN), .send)
  private static let ended = SocketError(.failure(errno: EPIPE), .send)

  /// Sends until there is no room: the peer does not read, so the shutdown cannot complete.
  private func fill(_ socket: borrowing some SCTPMessaging & ~Copyable, _ info: SCTPSendInfo) throws {
    let block = [UInt8](repeating: 1, count: 16384)
    while try socket.send(block.span, info: info) != nil {}
  }

  /// Receives everything, so that the shutdown completes.
  private func drain(_ socket: borrowing some SCTPMessaging & ~Copyable) throws {
    while true {
      switch try socket.next(65536).0 {
      case .message: continue
      case .notification(.associationChange(let change)) where change.isEnd: return
      case .notification: continue
      case .endOfStream: return
      }
    }
  }

  @Test func ofAnAssociation() throws {
    let pair = try EndpointPair()
    let info = SCTPSendInfo(association: pair.nearID)
    try fill(pair.near, info)
    try pair.near.shutdown(pair.nearID)
    let early = refusal { try pair.near.sendNow([1], info) }
    let target = try pair.far.localAddress()
    let earlyToAddress = refusal { _ = try pair.near.send([1].span, to: target) }
    #expect(early == Self.shuttingDown && earlyToAddress == Self.shuttingDown)
    try drain(pair.far)
    _ = try pair.near.nextChange(.shutDown)
    let late = refusal { try pair.near.sendNow([1], info) }
    #expect(late == Self.ended)
  }

  @Test func ofAPeeledOffSocket() throws {
    let sockets = try EndpointPair().peel()
    try fill(sockets.first, SCTPSendInfo())
    try sockets.first.shutdown(.write)
    let early = refusal { try sockets.first.sendNow([1], SCTPSendInfo()) }
    #expect(early == Self.shuttingDown)
    try drain(sockets.second)
    _ = try sockets.first.nextChange(.shutDown)
    let late = refusal { try sockets.first.sendNow([1], SCTPSendInfo()) }
    #expect(late == Self.ended)
  }

  @Test func ofAOneToOneSocket() throws {
    try sctpPair().split { client, server in
      try fill(client, SCTPSendInfo())
      try client.shutdown(.write)
      let early = refusal { try client.sendNow([1], SCTPSendInfo()) }
      let written = refusal { _ = try client.write([1].span) }
      #expect(early == Self.shuttingDown && written == SocketError(.failure(errno: ESHUTDOWN), .write))
      try drain(server)
      let deadline = Deadline.after(sctpSoon)
      while (try? client.option(.status)) != nil, !deadline.hasPassed { sleep(milliseconds: 1) }
      let late = refusal { try client.sendNow([1], SCTPSendInfo()) }
      #expect(late == Self.ended)
    }
  }
}
