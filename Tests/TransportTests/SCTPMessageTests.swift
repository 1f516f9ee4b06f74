import Glibc
import SocketKit
import TestSupport
import Testing

/// What belongs to messages: streams, payload protocols, order, lifetime, pieces.
@Suite(.exclusive, .needsSCTP) struct SCTPMessageTests {
  /// The counterpart of ishidawataru/sctp's TestStreams.
  @Test func everyMessageKeepsItsStream() throws {
    let streams = 64 as UInt16
    let pair = try EndpointPair { endpoint throws(SocketError) in
      try endpoint.setOption(
        .initParameters, to: SCTPInitParameters(outgoingStreams: streams, maximumIncomingStreams: streams))
    }
    for round in 0..<3 as Range<UInt16> {
      for stream in 0..<streams {
        let info = SCTPSendInfo(
          stream: stream, payloadProtocol: UInt32(stream) &* 0x0101_0101, association: pair.nearID)
        try pair.near.sendNow([UInt8(stream), UInt8(round)], info)
      }
      for stream in 0..<streams {
        let (message, bytes) = try pair.far.nextMessage()
        #expect(bytes == [UInt8(stream), UInt8(round)] && message.info?.stream == stream)
        #expect(message.info?.sequence == round && message.info?.payloadProtocol == UInt32(stream) &* 0x0101_0101)
      }
    }
    let beyond = failureCode { try pair.near.sendNow([1], SCTPSendInfo(stream: streams, association: pair.nearID)) }
    #expect(beyond == .invalidArgument)
  }

  @Test func whatWaitsBehindIsTold() throws {
    let pair = try EndpointPair()
    let initial = [try pair.far.option(.receiveInfo), try pair.far.option(.receiveNextInfo)]
    #expect(initial == [true, false])
    try pair.far.setOption(.receiveNextInfo, to: true)
    try pair.near.sendNow([1, 2], SCTPSendInfo(stream: 1, association: pair.nearID))
    var second = SCTPSendInfo(stream: 4, payloadProtocol: 0x0102_0304, association: pair.nearID)
    second.isUnordered = true
    try pair.near.sendNow([3, 4, 5], second)
    _ = try pair.far.nextMessage(0)  // waits until the first has come, and takes nothing
    sleep(milliseconds: 100)
    let first = try pair.far.nextMessage()
    #expect(first.bytes == [1, 2])
    let next = try #require(first.message.next)
    #expect(next.stream == 4 && next.isUnordered && next.length == 3 && next.payloadProtocol == 0x0102_0304)
    #expect(!next.isNotification && next.association == pair.farID)
    let other = try pair.far.nextMessage()
    #expect(other.bytes == [3, 4, 5] && other.message.next == nil && other.message.info?.isUnordered == true)
    try pair.far.setOption(.receiveInfo, to: false)
    try pair.near.sendNow([6], SCTPSendInfo(association: pair.nearID))
    let bare = try pair.far.nextMessage()
    #expect(bare.message.info == nil && bare.message.association == .future && bare.bytes == [6])
  }

  @Test func unorderedMessagesOvertakeNone() throws {
    let pair = try EndpointPair()
    for index in 0..<10 as Range<UInt8> {
      var info = SCTPSendInfo(stream: 2, association: pair.nearID)
      info.isUnordered = index % 2 == 1
      info.asksForAcknowledgement = true
      try pair.near.sendNow([index], info)
    }
    var ordered: [UInt8] = []
    var unordered: [UInt8] = []
    for _ in 0..<10 {
      let (message, bytes) = try pair.far.nextMessage()
      if message.info?.isUnordered == true { unordered += bytes } else { ordered += bytes }
    }
    #expect(ordered == [0, 2, 4, 6, 8] && unordered.sorted() == [1, 3, 5, 7, 9])
  }

  /// A message longer than the buffer stays, with its information, and ends with its last piece.
  @Test func piecesAreNeitherCutNorLost() throws {
    let pair = try EndpointPair()
    let sent = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
    try pair.near.sendNow(sent, SCTPSendInfo(stream: 5, payloadProtocol: 18, association: pair.nearID))
    try pair.near.sendNow([9], SCTPSendInfo(association: pair.nearID))
    var seen: [UInt8] = []
    var isComplete = false
    while !isComplete {
      let (message, bytes) = try pair.far.nextMessage(1000)
      #expect(message.info?.stream == 5 && message.info?.payloadProtocol == 18 && bytes.count == 1000)
      seen += bytes
      isComplete = message.isComplete
    }
    #expect(seen == sent)
    let next = try pair.far.nextMessage()
    #expect(next.bytes == [9] && next.message.isComplete)
    // Peeked at, with an empty buffer too.
    try pair.near.sendNow([1, 2, 3], SCTPSendInfo(association: pair.nearID))
    let none = try pair.far.nextMessage(0)
    #expect(none.message.count == 0 && !none.message.isComplete)
    var buffer: [UInt8] = [0, 0]
    let peeked = try pair.far.receive(into: buffer.mutableSpan, flags: .peek)
    guard case .message(let front) = peeked else {
      Issue.record("\(peeked)")
      return
    }
    #expect(front.count == 2 && !front.isComplete && buffer == [1, 2])
    let whole = try pair.far.nextMessage()
    #expect(whole.bytes == [1, 2, 3])
  }

  /// Where nothing comes beside messages, an empty buffer must not be taken for the end.
  @Test func anEmptyBufferIsNoEnd() throws {
    let sockets = try EndpointPair().peel()
    try sockets.second.setOption(.receiveInfo, to: false)
    try sockets.first.sendNow([1, 2, 3], SCTPSendInfo())
    let none = try sockets.second.next(0)
    guard case .message(let message) = none.0 else {
      Issue.record("\(none.0)")
      return
    }
    #expect(message.count == 0 && !message.isComplete)
    var info = MessageInfo()
    var empty: [UInt8] = []
    let generic = try sockets.second.receive(into: empty.mutableSpan, &info)
    #expect(generic == .bytes(0))
    let whole = try sockets.second.nextMessage()
    #expect(whole.bytes == [1, 2, 3])
  }

  @Test func anExpiredMessageComesBack() throws {
    let pair = try EndpointPair([.sendFailed, .oldSendFailed])
    // The peer does not read: its window closes, and what comes then stays here.
    let block = [UInt8](repeating: 7, count: 20_000)
    var blocks = 0
    while blocks < 8 {
      try pair.near.sendNow(block, SCTPSendInfo(association: pair.nearID))
      blocks += 1
    }
    var info = SCTPSendInfo(stream: 3, payloadProtocol: 0xcafe, association: pair.nearID)
    info.expiry = .after(.milliseconds(5))
    info.context = 77
    try pair.near.sendNow([1, 2, 3], info)
    sleep(milliseconds: 50)
    try pair.near.sendNow([9], SCTPSendInfo(association: pair.nearID))
    for _ in 0..<blocks {
      var count = 0
      while count < block.count { count += try pair.far.nextMessage(65536).bytes.count }
      #expect(count == block.count)
    }
    for _ in 0..<2 {
      let (failure, payload) = try pair.near.nextNotification { notification, buffer in
        guard case .sendFailed(let failure) = notification else { return nil as (SCTPSendFailure, [UInt8])? }
        return (failure, Array(buffer[failure.payload.range]))
      }
      #expect(payload == [1, 2, 3] && !failure.wasSent && failure.association == pair.nearID)
      #expect(failure.info.context == 77 && failure.info.stream == 3 && failure.info.payloadProtocol == 0xcafe)
    }
    let last = try pair.far.nextMessage()
    #expect(last.bytes == [9])
  }

  @Test func expiriesAreEncodedWithinTheirRange() throws {
    typealias Expiry = SCTPSendInfo.Expiry
    #expect(Expiry.after(.zero) == .after(.milliseconds(1)) && Expiry.after(.seconds(-5)) == .after(.milliseconds(1)))
    #expect(Expiry.after(.microseconds(1500)) == .after(.milliseconds(2)))
    #expect(Expiry.after(.seconds(1 << 40)) == .after(.milliseconds(Int64(UInt32.max))))
    let pair = try EndpointPair()
    for (index, expiry) in [Expiry.retransmissions(0), .priority(5), .after(.seconds(20))].enumerated() {
      var info = SCTPSendInfo(association: pair.nearID)
      info.expiry = expiry
      try pair.near.sendNow([UInt8(index)], info)
      let message = try pair.far.nextMessage()
      #expect(message.bytes == [UInt8(index)])
    }
    var small = AncillaryBuffer<31>()
    #expect(failureCode { try SCTPSendInfo().encode(into: &small) } == .capacityExceeded)
  }

  /// One-to-one sockets send and receive what belongs to messages too.
  @Test func oneToOneSocketsHaveMessagesToo() throws {
    let listener = try SCTPSocket.listen(on: .loopback(port: 0))
    let client = try SCTPSocket.connect(to: listener.localAddress(), until: .after(sctpPatience))
    let server = try listener.accept(until: .after(sctpPatience))
    try server.setOption(.receiveInfo, to: true)
    try server.setOption(.event(.associationChange), of: .all, to: true)
    try client.sendNow([1, 2, 3], SCTPSendInfo(stream: 2, payloadProtocol: 5))
    let (message, bytes) = try server.nextMessage()
    #expect(bytes == [1, 2, 3] && message.info?.stream == 2 && message.info?.payloadProtocol == 5)
    try server.sendNow([4], SCTPSendInfo())
    let answer = try client.nextMessage()
    #expect(answer.bytes == [4] && answer.message.info == nil && answer.message.isComplete)
    try client.close()
    _ = try server.nextChange(.shutDown)
    let end = try server.next()
    guard case .endOfStream = end.0 else {
      Issue.record("\(end.0)")
      return
    }
  }
}
