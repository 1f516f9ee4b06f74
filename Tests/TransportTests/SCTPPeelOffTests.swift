import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

/// Associations with sockets of their own.
@Suite(.exclusive, .needsSCTP) struct SCTPPeelOffTests {
  @Test func theSocketIsWholeAndTheEndpointGoesOn() throws {
    let pair = try EndpointPair()
    let other = try listeningEndpoint()
    _ = try other.connect(to: pair.far.localAddress())
    let otherID = try pair.far.nextChange(.up).association
    // Received before, not taken yet: it goes along.
    try pair.near.sendNow([1], SCTPSendInfo(stream: 6, association: pair.nearID))
    _ = try pair.far.nextMessage(0)
    let peeled = try pair.far.peelOff(pair.farID)
    let raw = peeled.descriptor.value
    #expect(fcntl(raw, F_GETFD) & FD_CLOEXEC != 0 && fcntl(raw, F_GETFL) & O_NONBLOCK != 0)
    let kind = try peeled.descriptor.socketKind()
    #expect(kind == SocketKind(.ipv4, .sequencedPacket, protocolNumber: 132))
    let first = try peeled.nextMessage()
    #expect(first.bytes == [1] && first.message.info?.stream == 6)
    let addresses = [try peeled.remoteAddress(), try peeled.localAddress()]
    let expected = [try pair.near.localAddress(), try pair.far.localAddress()]
    #expect(addresses == expected)
    // It needs no destination.
    let sent = try peeled.send([2].span)
    #expect(sent == 1)
    let answer = try pair.near.nextMessage()
    #expect(answer.bytes == [2])
    let again = failureCode { _ = try pair.far.peelOff(pair.farID) }
    let left = try pair.far.option(.associations)
    #expect(again == .invalidArgument && left == [otherID])
    _ = try other.nextChange(.up)
    try pair.far.sendNow([3], SCTPSendInfo(association: otherID))
    let there = try other.nextMessage()
    #expect(there.bytes == [3])
    // The endpoint does not hear of it any more.
    try pair.near.sendNow([4], SCTPSendInfo(association: pair.nearID))
    let next = try peeled.nextMessage()
    #expect(next.bytes == [4])
    try pair.far.expectNothing()
  }

  @Test func theOldWayPeelsOffToo() throws {
    let pair = try EndpointPair()
    // What an old kernel's answer to the flags leads to: PEELOFF, and the flags by fcntl(2). Adopting sets them as
    // well.
    let request = [pair.farID.rawValue, -1].flatMap(\.rawBytes)
    let answer = try pair.far.option(
      SocketOption(bytes: CSK_SCTP_PEELOFF, level: CSK_IPPROTO_SCTP, capacity: 8, request: request))
    let raw = RawDescriptor(answer.integer(at: 4, as: Int32.self))
    #expect(fcntl(raw.value, F_GETFD) & FD_CLOEXEC == 0)
    let wrong = failureCode { _ = try SCTPOneToManySocket(adopting: raw.duplicate()) }
    #expect(wrong == .wrongSocketKind)
    let peeled = try SCTPAssociationSocket(adopting: owning(raw))
    #expect(fcntl(raw.value, F_GETFD) & FD_CLOEXEC != 0 && fcntl(raw.value, F_GETFL) & O_NONBLOCK != 0)
    try pair.near.sendNow([1], SCTPSendInfo(association: pair.nearID))
    let message = try peeled.nextMessage()
    #expect(message.bytes == [1])
  }

  @Test func aShutdownIsTheEnd() throws {
    let sockets = try EndpointPair().peel()
    let first = sockets.first.descriptor
    #expect(first != sockets.second.descriptor)
    try sockets.split { near, far in
      try near.sendNow([1], SCTPSendInfo())
      try near.close()
      var buffer = [UInt8](repeating: 0, count: 16)
      var info = MessageInfo()
      let message = try far.receive(into: buffer.mutableSpan, &info, until: .after(sctpPatience))
      #expect(message == .bytes(1) && info.flags.contains(.endOfRecord))
      for _ in 0..<3 {
        let end = try far.receive(into: buffer.mutableSpan, &info, until: .after(sctpPatience))
        #expect(end == .endOfStream)
      }
      let sent = failureCode { try far.sendNow([2], SCTPSendInfo()) }
      #expect(sent == .brokenPipe)
    }
  }

  @Test func anAbortIsAResetOnceAndThenTheEnd() throws {
    for isTyped in [false, true] {
      let sockets = try EndpointPair().peel()
      try sockets.first.sendNow([1], SCTPSendInfo())
      _ = try sockets.second.nextMessage()
      try sockets.first.abort(reason: "because".utf8.span)
      if isTyped {
        let reason = try sockets.second.nextNotification { notification, buffer -> [UInt8]? in
          guard case .associationChange(let change) = notification else { return nil }
          return SCTPErrorCause.reason(in: buffer.span.extracting(change.causes.range))
        }
        #expect(reason == Array("because".utf8))
      }
      var buffer = [UInt8](repeating: 0, count: 16)
      let reset = failureCode {
        var info = MessageInfo()
        _ = try sockets.second.receive(into: buffer.mutableSpan, &info, until: .after(sctpPatience))
      }
      #expect(reset == .connectionReset)
      let end = try sockets.second.next()
      guard case .endOfStream = end.0 else {
        Issue.record("\(end.0)")
        continue
      }
      let again = failureCode { try sockets.second.abort(reason: Span()) }
      #expect(again == .brokenPipe)
    }
  }

  @Test func theOwnShutdownReachesThePeer() throws {
    let sockets = try EndpointPair().peel()
    try sockets.first.sendNow([1], SCTPSendInfo())
    try sockets.first.shutdown(.write)
    let last = try sockets.second.nextMessage()
    #expect(last.bytes == [1])
    _ = try sockets.second.nextChange(.shutDown)
    let end = try sockets.second.next()
    guard case .endOfStream = end.0 else {
      Issue.record("\(end.0)")
      return
    }
    let refused = failureCode { try sockets.first.sendNow([2], SCTPSendInfo()) }
    #expect(refused == .brokenPipe)
  }

  @Test func closingInOrderSaysWhetherEverythingWasDelivered() throws {
    var sockets = try EndpointPair().peel()
    for index in 0..<10 as Range<UInt8> { try sockets.first.sendNow([index], SCTPSendInfo()) }
    try sockets.split { near, far in
      let ending = try near.close(until: .after(sctpPatience))
      #expect(ending == .graceful)
      for index in 0..<10 as Range<UInt8> {
        let message = try far.nextMessage()
        #expect(message.bytes == [index])
      }
    }
    sockets = try EndpointPair().peel()
    let block = [UInt8](repeating: 7, count: 50_000)
    while try sockets.first.send(block.span) != nil {}
    try sockets.split { near, far in
      let ending = try near.close(until: .after(.milliseconds(50)))
      #expect(ending == .aborted)
      let change = try far.nextChange(.lost)
      #expect(change.cause == .userAbort)
    }
  }

  /// Generic code that knows sequenced packets and nothing of SCTP.
  @Test func genericPacketsServe() throws {
    func echo<S: SequencedPacketSocket & ~Copyable>(_ socket: borrowing S) throws -> Int {
      var buffer = [UInt8](repeating: 0, count: 100)
      var info = MessageInfo()
      var count = 0
      while case .bytes(let length) = try socket.receive(into: buffer.mutableSpan, &info, until: .after(sctpPatience)) {
        try socket.send(buffer.span.extracting(first: length), until: .after(sctpPatience))
        count += 1
      }
      return count
    }
    try EndpointPair().peel().split { near, far in
      for index in 0..<10 as Range<UInt8> { try near.sendNow([index], SCTPSendInfo()) }
      let thread = Sent(far)
      let server = spawn { thread.result = Result { try echo(thread.socket) } }
      for index in 0..<10 as Range<UInt8> {
        let message = try near.nextMessage()
        #expect(message.bytes == [index])
      }
      try near.close()
      server.join()
      let count = try thread.result?.get()
      #expect(count == 10)
    }
  }

  /// Notifications that were switched on come as flagged messages, those that do not fit cut, and nothing after them
  /// suffers.
  @Test func otherNotificationsComeFlagged() throws {
    let sockets = try EndpointPair().peel()
    try sockets.second.setOption(.event(.senderDry), of: .all, to: true)
    var buffer = [UInt8](repeating: 0, count: 5)
    var info = MessageInfo()
    let outcome = try sockets.second.receive(into: buffer.mutableSpan, &info, until: .after(sctpPatience))
    #expect(outcome == .bytes(5) && info.flags.contains([.notification, .truncated]))
    try sockets.first.sendNow([1], SCTPSendInfo())
    let message = try sockets.second.nextMessage()
    #expect(message.bytes == [1])
  }
}

private final class Sent: @unchecked Sendable {
  let socket: SCTPAssociationSocket
  var result: Result<Int, any Error>?
  init(_ socket: consuming SCTPAssociationSocket) { self.socket = socket }
}
