import CSocketKit
import SocketKit
import TestSupport
import Testing

/// What options do, where reading them back proves nothing.
@Suite(.exclusive, .needsSCTP) struct SCTPOptionEffectTests {
  /// It is the receiver's own number, and comes with what it receives; the sender's is another.
  @Test func theContextComesWithReceivedMessages() throws {
    let pair = try EndpointPair()
    try pair.far.setOption(.context, of: pair.farID, to: 77)
    try pair.near.setOption(.context, of: pair.nearID, to: 5)
    var info = SCTPSendInfo(association: pair.nearID)
    info.context = 6
    try pair.near.sendNow([1], info)
    let message = try pair.far.nextMessage().message
    #expect(message.info?.context == 77)
    try pair.far.sendNow([2], SCTPSendInfo(association: pair.farID))
    let answer = try pair.near.nextMessage().message
    #expect(answer.info?.context == 5)
  }

  @Test func anIdleAssociationIsClosed() throws {
    let server = try listeningEndpoint { endpoint throws(SocketError) in
      try endpoint.setOption(.autoclose, to: .seconds(1))
    }
    let client = try listeningEndpoint()
    let start = milliseconds()
    _ = try client.connect(to: server.localAddress())
    _ = try client.nextChange(.up)
    _ = try server.nextChange(.up)
    _ = try client.nextChange(.shutDown)
    _ = try server.nextChange(.shutDown)
    #expect(milliseconds() - start >= 900)
    let count = try server.option(.associationCount)
    #expect(count == 0)
  }

  /// Nothing else is sent meanwhile: each control chunk is a heartbeat, and what comes back is its acknowledgement.
  @Test func heartbeatsAreSentOnDemandAndAtTheirInterval() throws {
    let pair = try EndpointPair { endpoint throws(SocketError) in
      var quiet = SCTPPathParameters()
      quiet.heartbeat = .off
      try endpoint.setOption(.paths.parameters, to: quiet)
      // It is added to the interval.
      try endpoint.setOption(
        .retransmissionTimeouts,
        to: SCTPRetransmissionTimeouts(
          initial: .milliseconds(20), minimum: .milliseconds(20), maximum: .milliseconds(20)))
    }
    let near = pair.near
    let id = pair.nearID
    let peer = try pair.far.localAddress()
    sleep(milliseconds: 50)
    let before = try near.option(.statistics, of: id)
    sleep(milliseconds: 200)
    #expect(try near.option(.statistics, of: id).controlChunksSent == before.controlChunksSent)
    try near.perform(.sendHeartbeat(to: peer), of: id)
    let deadline = Deadline.after(sctpSoon)
    func answers() throws -> UInt64 {
      try near.option(.statistics, of: id).controlChunksReceived - before.controlChunksReceived
    }
    while try answers() == 0, !deadline.hasPassed { sleep(milliseconds: 1) }
    sleep(milliseconds: 100)
    #expect(try near.option(.statistics, of: id).controlChunksSent == before.controlChunksSent + 1)
    #expect(try answers() == 1)
    var parameters = SCTPPathParameters()
    parameters.heartbeat = .on(every: .milliseconds(20))
    try near.setOption(.path(to: peer).parameters, of: id, to: parameters)
    while try answers() < 6, !deadline.hasPassed { sleep(milliseconds: 1) }
    #expect(try answers() >= 6)
    // With a longer interval they are rarer.
    parameters.heartbeat = .on(every: .seconds(30))
    try near.setOption(.path(to: peer).parameters, of: id, to: parameters)
    sleep(milliseconds: 100)
    let then = try answers()
    sleep(milliseconds: 300)
    #expect(try answers() == then)
  }

  /// A message of which all packets but the first are missing: its beginning, some 60 000 bytes with loopback's long
  /// packets, is delivered when it is longer than the point.
  @Test func aMessageIsDeliveredInPartFromThePointOn() throws {
    for point in [0, 4000, 80_000] {
      let pair = try EndpointPair { endpoint throws(SocketError) in
        try endpoint.setOption(.receiveBuffer, to: 1 << 20)
        try endpoint.setOption(.maximumSegment, to: 1000)
        try endpoint.setOption(.partialDeliveryPoint, to: point)
        let timeout = Duration.milliseconds(100)
        try endpoint.setOption(
          .retransmissionTimeouts,
          to: SCTPRetransmissionTimeouts(initial: timeout, minimum: timeout, maximum: timeout))
      }
      // Of DATA chunks only those with the flag B: the message's beginning.
      try pair.far.setOption(
        .filter,
        to: [
          .load(.byte, at: 0), .jump(if: .equal(0), then: 0, else: 2), .load(.byte, at: 1), .and(2),
          .jump(if: .equal(0), then: 1, else: 0), .accept, .drop,
        ])
      let sent = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
      try pair.near.sendNow(sent, SCTPSendInfo(association: pair.nearID))
      sleep(milliseconds: 250)
      var seen: [UInt8] = []
      if point == 4000 {
        let (message, bytes) = try pair.far.nextMessage(200_000)
        #expect(!message.isComplete && bytes.count >= point && bytes.count < 80_000, "\(bytes.count) bytes")
        seen = bytes
      } else {
        try pair.far.expectNothing()
      }
      try pair.far.setOption(.filter, to: nil)
      var isComplete = false
      while !isComplete {
        let (message, bytes) = try pair.far.nextMessage(200_000)
        seen += bytes
        isComplete = message.isComplete
      }
      let isWhole = seen == sent
      #expect(isWhole, "a point of \(point)")
    }
  }

  /// Nothing is delivered for a while. Only what may be sent but so often is given up, after just so many times.
  @Test func messagesAreGivenUpAfterTheirRetransmissions() throws {
    typealias Expiry = SCTPSendInfo.Expiry
    let quick: (borrowing SCTPOneToManySocket) throws(SocketError) -> Void = { (endpoint) throws(SocketError) in
      try endpoint.setOption(
        .retransmissionTimeouts,
        to: SCTPRetransmissionTimeouts(
          initial: .milliseconds(50), minimum: .milliseconds(50), maximum: .milliseconds(50)))
      // Or the association would be lost.
      try endpoint.setOption(.associationParameters, to: SCTPAssociationParameters(maximumRetransmissions: 1000))
    }
    for allowed in [0, 1, 3] as [UInt32] {
      let pair = try EndpointPair(configure: quick)
      try pair.far.setOption(.filter, to: dropping(0))
      var info = SCTPSendInfo(stream: 2, association: pair.nearID)
      info.expiry = .retransmissions(allowed)
      try pair.near.sendNow([1, 2, 3], info)
      let deadline = Deadline.after(sctpSoon)
      while try pair.near.abandoned(.retransmissions, of: pair.nearID) == 0, !deadline.hasPassed {
        sleep(milliseconds: 5)
      }
      let counts = [
        try pair.near.abandoned(.time, of: pair.nearID), try pair.near.abandoned(.retransmissions, of: pair.nearID),
        try pair.near.abandoned(.priority, of: pair.nearID),
        try pair.near.option(.statistics, of: pair.nearID).retransmittedChunks,
      ]
      #expect(counts == [0, 1, 0, UInt64(allowed)])
      try pair.far.setOption(.filter, to: nil)
      try pair.near.sendNow([4], SCTPSendInfo(stream: 2, association: pair.nearID))
      let next = try pair.far.nextMessage()
      #expect(next.bytes == [4])
    }
    let pair = try EndpointPair([.sendFailed], configure: quick)
    try pair.far.setOption(.filter, to: dropping(0))
    for (index, expiry) in [Expiry.never, .priority(1), .after(.seconds(60)), .retransmissions(100)].enumerated() {
      var info = SCTPSendInfo(association: pair.nearID)
      info.expiry = expiry
      try pair.near.sendNow([UInt8(index)], info)
    }
    let deadline = Deadline.after(sctpSoon)
    while try pair.near.option(.statistics, of: pair.nearID).retransmittedChunks < 20, !deadline.hasPassed {
      sleep(milliseconds: 10)
    }
    try pair.near.expectNothing()
    try pair.far.setOption(.filter, to: nil)
    for index in 0..<4 as Range<UInt8> {
      let message = try pair.far.nextMessage()
      #expect(message.bytes == [index])
    }
  }

  /// A full send buffer: a message of higher priority takes the room of lower ones, and of nothing else.
  @Test func messagesOfLowPriorityMakeRoom() throws {
    let pair = try EndpointPair { endpoint throws(SocketError) in
      let timeout = Duration.seconds(1)
      try endpoint.setOption(
        .retransmissionTimeouts,
        to: SCTPRetransmissionTimeouts(initial: timeout, minimum: timeout, maximum: timeout))
      try endpoint.setOption(.associationParameters, to: SCTPAssociationParameters(maximumRetransmissions: 1000))
    }
    try pair.far.setOption(.filter, to: dropping(0))
    func send(_ expiry: SCTPSendInfo.Expiry, _ byte: UInt8, within limit: Duration? = nil) throws -> Bool {
      var info = SCTPSendInfo(association: pair.nearID)
      info.expiry = expiry
      let bytes = [UInt8](repeating: byte, count: 10_000)
      guard let limit else { return try pair.near.send(bytes.span, info: info) == 10_000 }
      let code = failureCode { try pair.near.send(bytes.span, info: info, until: .after(limit)) }
      #expect(code == nil || code == .timedOut)
      return code == nil
    }
    // Numbers of other policies mean nothing here. Those of low priority are the first: room comes only when the peer
    // knows that all before are given up.
    var low = 0
    while low < 4, try send(.priority(9), 9) { low += 1 }
    let others: [(SCTPSendInfo.Expiry, UInt8)] = [(.never, 1), (.after(.seconds(60)), 2), (.retransmissions(1000), 3)]
    for (expiry, byte) in others { #expect(try send(expiry, byte)) }
    while try send(.priority(9), 9) { low += 1 }
    #expect(try !send(.priority(20), 20))
    #expect(try !send(.priority(9), 10))
    #expect(try pair.near.abandoned(.priority, of: pair.nearID) == 0)
    #expect(try send(.priority(3), 30, within: sctpSoon))
    let lost = try pair.near.abandoned(.priority, of: pair.nearID)
    #expect(lost > 0 && lost <= low)
    #expect(try pair.near.abandoned(.time, of: pair.nearID) == 0)
    #expect(try pair.near.abandoned(.retransmissions, of: pair.nearID) == 0)
    try pair.far.setOption(.filter, to: nil)
    var seen: [UInt8] = []
    while seen.last != 30 {
      let (message, bytes) = try pair.far.nextMessage(20_000)
      #expect(message.isComplete && bytes.count == 10_000)
      seen += bytes.prefix(1)
    }
    let lows = seen.count { $0 == 9 }
    #expect(seen.filter { $0 != 9 } == [1, 2, 3, 30] && lows < low, "\(seen), of \(low)")
  }
}

/// Which messages were given up: the policies of RFC 7496.
enum Abandoned: UInt16 {
  case time = 0x10
  case retransmissions = 0x20
  case priority = 0x30
}

/// A filter that drops packets which begin with a chunk of that type.
func dropping(_ type: UInt32) -> [BPFInstruction] {
  [.load(.byte, at: 0), .jump(if: .equal(type), then: 0, else: 1), .drop, .accept]
}

extension SCTPOneToManySocket {
  /// How many messages were given up, sent or not: SCTP_PR_ASSOC_STATUS, which the package has no other name for.
  borrowing func abandoned(_ policy: Abandoned, of association: SCTPAssociationID) throws -> UInt64 {
    // struct sctp_prstatus: association, stream, policy, and two numbers.
    let question = UInt64(UInt32(bitPattern: association.rawValue)) | UInt64(policy.rawValue) << 48
    let status = try option(
      SocketOption(
        bytes: CSK_SCTP_PR_ASSOC_STATUS, level: CSK_IPPROTO_SCTP, capacity: 24,
        request: question.rawBytes))
    #expect(status.count == 24)
    return status.integer(at: 8, as: UInt64.self) + status.integer(at: 16, as: UInt64.self)
  }
}
