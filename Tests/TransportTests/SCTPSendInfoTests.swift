import Glibc
import SocketKit
import TestSupport
import Testing

/// What is set for one message, and what is set for all of a socket.
@Suite(.exclusive, .needsSCTP) struct SCTPSendInfoTests {
  /// A default expiry is for messages without an expiry of their own. The kernel applies it to every message that does
  /// not say that it has none (sctp_sendmsg_update_sinfo in net/sctp/socket.c).
  @Test func aDefaultExpiryDoesNotDropMessagesThatNeverExpire() throws {
    for preset in [SCTPSendInfo.Expiry.after(.milliseconds(1)), .retransmissions(3)] {
      try sctpPair().split { client, server in
        try client.setOption(.noDelay, to: true)
        var info = SCTPSendInfo()
        info.expiry = preset
        try client.setOption(.defaultSendInfo, to: info)
        // The peer does not read: its window closes, and what comes then stays here for longer than the default.
        let block = [UInt8](repeating: 7, count: 20_000)
        var sent = 0
        for _ in 0..<8 where try client.send(block.span, info: SCTPSendInfo()) != nil { sent += 1 }
        for index in 0..<5 as Range<UInt8> where try client.send([index].span, info: SCTPSendInfo()) != nil {
          sent += 1
        }
        #expect(sent > 8)
        sleep(milliseconds: 100)
        var arrived = 0
        while arrived < sent {
          guard let (message, _) = try? server.nextMessage(65536, within: .milliseconds(2500)) else { break }
          if message.isComplete { arrived += 1 }
        }
        #expect(arrived == sent, "\(preset)")
      }
    }
  }

  /// The kernel refuses a default request for an acknowledgement (EINVAL), and ignores a default address override.
  @Test func aDefaultTakesNoFlagsThatTheKernelDoesNotTake() throws {
    try sctpPair().split { client, server in
      let before = try client.option(.defaultSendInfo)
      for isAddress in [false, true] {
        var info = SCTPSendInfo(stream: 1, payloadProtocol: 5)
        info.asksForAcknowledgement = !isAddress
        info.overridesPrimary = isAddress
        let error = refusal { try client.setOption(.defaultSendInfo, to: info) }
        #expect(error?.code == .notSupported && error?.errno == 0, "\(error as Any)")
        #expect(try client.option(.defaultSendInfo) == before)
      }
      _ = server.descriptor
    }
  }

  @Test func aBatchWithoutADestinationSaysSo() throws {
    let client = try SCTPOneToManySocket.open()
    var batch = MessageBatch(capacity: 2, messageCapacity: 8, ancillaryCapacity: 80)
    try batch.append([1].span)
    #expect(failureCode { _ = try batch.send(on: client) } == .destinationRequired)
    #expect(failureCode { try batch.send(on: client, until: .after(.seconds(1))) } == .destinationRequired)
    // Generic code gets the kernel's number for a missing destination, and no broken pipe.
    func send<S: MessageSocket & ~Copyable>(_ socket: borrowing S, _ batch: inout MessageBatch) throws {
      try batch.send(on: socket, until: .after(.seconds(1)))
    }
    let generic = refusal { try send(client, &batch) }
    #expect(generic?.code == .notConnected && generic?.errno == EDESTADDRREQ, "\(generic as Any)")
    func sendOne<S: MessageSocket & ~Copyable>(_ socket: borrowing S) -> IOResult {
      socket.attemptSend([1 as UInt8].span, ancillary: RawSpan(), to: RawSpan(), flags: [])
    }
    #expect(sendOne(client).errno == EDESTADDRREQ)
    #expect(batch.sent == 0)
    // The message that has a destination is sent before the other fails.
    let server = try listeningEndpoint()
    batch.removeAll()
    try batch.append([1].span, to: server.localAddress())
    try batch.append([2].span)
    #expect(failureCode { try send(client, &batch) } == .notConnected)
    #expect(batch.sent == 1)
    let message = try server.nextMessage()
    #expect(message.bytes == [1])
    // An association that is gone is a broken pipe as before.
    batch.removeAll()
    try batch.append([3].span, info: SCTPSendInfo(association: SCTPAssociationID(rawValue: 4000)))
    #expect(failureCode { try batch.send(on: client, until: .after(.seconds(1))) } == .brokenPipe)
    #expect(failureCode { try send(client, &batch) } == .brokenPipe)
  }

  /// Each fragment says whether it begins and whether it ends its message.
  @Test func aLongMessageThatFailedComesBackInFragmentsThatSayWhereTheyStand() throws {
    let gone = try SCTPOneToManySocket.bind(to: .loopback(port: 0))
    let target = try gone.localAddress()
    let sent = (0..<1200).map { UInt8(truncatingIfNeeded: $0 * 7) }
    for isUnordered in [false, true] {
      let client = try SCTPOneToManySocket.bind(to: .loopback(port: 0)) { endpoint throws(SocketError) in
        for event in [SCTPEvent.sendFailed, .oldSendFailed] {
          try endpoint.setOption(.event(event), of: .all, to: true)
        }
        try endpoint.setOption(.maximumSegment, to: 500)
      }
      var info = SCTPSendInfo(stream: 2)
      info.isUnordered = isUnordered
      try client.send(sent.span, to: target, info: info, until: .after(sctpPatience))
      var returned: [UInt8: [UInt8]] = [:]
      var ends: [UInt8: [String]] = [:]
      while ends.values.count(where: { $0.last == "last" }) < 2 {
        let (failure, kind, payload) = try client.nextNotification { notification, buffer in
          guard case .sendFailed(let failure) = notification else {
            return nil as (SCTPSendFailure, UInt8, [UInt8])?
          }
          return (failure, buffer[0], Array(buffer[failure.payload.range]))
        }
        #expect(failure.info.isUnordered == isUnordered && failure.info.stream == 2)
        let place = failure.isFirstFragment ? "first" : failure.isLastFragment ? "last" : "middle"
        ends[kind, default: []].append(place)
        returned[kind, default: []] += payload
      }
      for kind in [0x03, 0x0d] as [UInt8] {
        #expect(ends[kind] == ["first", "middle", "last"] && returned[kind] == sent, "\(kind)")
      }
    }
  }

  @Test func timesReadBackAsTheyWereSet() throws {
    let socket = try SCTPOneToManySocket.open()
    // A division of floating-point numbers makes these times a little longer. They were rounded up.
    try socket.setOption(
      .retransmissionTimeouts, to: SCTPRetransmissionTimeouts(maximum: .milliseconds(295_151)))
    #expect(try socket.option(.retransmissionTimeouts).maximum == .milliseconds(295_151))
    try socket.setOption(.autoclose, to: .seconds(2363))
    #expect(try socket.option(.autoclose) == .seconds(2363))
    for time in [Duration.seconds(-1), .milliseconds(1 << 32), .seconds(Int64.max), .seconds(Int64.min)] {
      let code = failureCode {
        try socket.setOption(.retransmissionTimeouts, to: SCTPRetransmissionTimeouts(maximum: time))
      }
      #expect(code == .invalidArgument, "\(time)")
    }
  }
}
