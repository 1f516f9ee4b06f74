import Glibc
import SocketKit
import TestSupport
import Testing

/// Messages that come in pieces: fronts whose rest never comes, and pieces of several messages in turn.
@Suite(.exclusive, .needsSCTP) struct SCTPAssemblerTests {
  /// Fragments of 500 bytes, delivered as soon as there are 1000, into a window of some 8 KiB.
  private static let inPieces: @Sendable (borrowing SCTPOneToManySocket) throws(SocketError) -> Void = {
    (endpoint) throws(SocketError) in
    let quick = Duration.milliseconds(100)
    try endpoint.setOption(
      .retransmissionTimeouts, to: SCTPRetransmissionTimeouts(initial: quick, minimum: quick, maximum: quick))
    try endpoint.setOption(.receiveBuffer, to: 8192)
    try endpoint.setOption(.partialDeliveryPoint, to: 1000)
    try endpoint.setOption(.maximumSegment, to: 500)
  }

  /// `count` bytes, of which no two places look alike.
  private func message(_ count: Int, _ seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 + seed) &* 31 ^ ($0 + seed) >> 8) }
  }

  /// Sends a message of which the front arrives, and waits until it is given up. All that the window takes goes in one
  /// packet, whose acknowledgement is delayed for longer than the sender waits: 200 ms, unless it is the first of all.
  private func sendInVain(_ pair: borrowing EndpointPair, _ bytes: [UInt8]) throws {
    try pair.near.sendNow([0], SCTPSendInfo(stream: 3, association: pair.nearID))
    let first = try pair.far.nextMessage()
    #expect(first.bytes == [0])
    var info = SCTPSendInfo(stream: 3, association: pair.nearID)
    info.expiry = .retransmissions(0)
    try pair.near.sendNow(bytes, info)
    let deadline = Deadline.after(sctpPatience)
    while try pair.near.abandoned(.retransmissions, of: pair.nearID) == 0, !deadline.hasPassed {
      sleep(milliseconds: 5)
    }
    #expect(try pair.near.abandoned(.retransmissions, of: pair.nearID) > 0)
  }

  @Test func limitsOutOfRangeAreTypedErrors() throws {
    let endpoint = try listeningEndpoint()
    let errors = [
      refusal { _ = try SCTPMessageAssembler(for: endpoint, messageLimit: 0) },
      refusal { _ = try SCTPMessageAssembler(for: endpoint, messageLimit: .min) },
      refusal { _ = try SCTPMessageAssembler(for: endpoint, messageLimit: 10, totalLimit: 9) },
      refusal { _ = try SCTPMessageAssembler(for: endpoint, messageLimit: 10, pieceCapacity: 255) },
      refusal { _ = try SCTPMessageAssembler(for: endpoint, messageLimit: 10, pieceCapacity: .max) },
    ]
    for error in errors { #expect(error == SocketError(code: .invalidArgument, .setOption)) }
    #expect(try SCTPMessageAssembler(for: endpoint, messageLimit: .max, pieceCapacity: 256).unfinishedCount == 0)
  }

  /// With the event off, joining pieces until the end of a record makes a message that nobody sent.
  @Test func joiningPiecesByThemselvesGluesTwoMessages() throws {
    let pair = try EndpointPair(configure: Self.inPieces)
    try sendInVain(pair, message(30_000))
    try pair.near.sendNow([1, 2, 3], SCTPSendInfo(stream: 3, association: pair.nearID))
    var glued: [UInt8] = []
    while true {
      let (piece, bytes) = try pair.far.nextMessage()
      glued += bytes
      if piece.isComplete { break }
    }
    #expect(glued.count > 1000 && glued.count < 30_000 && Array(glued.suffix(3)) == [1, 2, 3])
  }

  @Test func theFrontOfAMessageThatIsGivenUpIsNotGluedToTheNext() throws {
    let pair = try EndpointPair(configure: Self.inPieces)
    var assembler = try SCTPMessageAssembler(for: pair.far, messageLimit: 1 << 16)
    try sendInVain(pair, message(30_000))
    try pair.near.sendNow([1, 2, 3], SCTPSendInfo(stream: 3, association: pair.nearID))
    var bytes: [UInt8] = []
    let first = try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience))
    guard case .notification(.partialDelivery(let event)) = first else { throw Surprise("\(first)") }
    let dropped = assembler.unfinishedCount
    #expect(event.isAborted && event.association == pair.farID && bytes.count == 24 && dropped == 0)
    let second = try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience))
    guard case .message(let whole) = second else { throw Surprise("\(second)") }
    #expect(bytes == [1, 2, 3] && whole.isComplete && whole.count == 3 && whole.info?.stream == 3)
    let unfinished = assembler.unfinishedCount
    #expect(unfinished == 0)
  }

  /// Without the event the number within the stream says that another message has begun.
  @Test func aLostEventIsNotNeededForOrderedMessages() throws {
    let pair = try EndpointPair(configure: Self.inPieces)
    var assembler = try SCTPMessageAssembler(for: pair.far, messageLimit: 1 << 16)
    try pair.far.setOption(.event(.partialDelivery), of: .all, to: false)
    try sendInVain(pair, message(30_000))
    try pair.near.sendNow([1, 2, 3], SCTPSendInfo(stream: 3, association: pair.nearID))
    var bytes: [UInt8] = []
    let arrival = try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience))
    guard case .message = arrival else {
      Issue.record("\(arrival)")
      return
    }
    #expect(bytes == [1, 2, 3])
  }

  @Test func anAssociationThatIsLostTakesItsFrontAlong() throws {
    let pair = try EndpointPair(configure: Self.inPieces)
    var assembler = try SCTPMessageAssembler(for: pair.far, messageLimit: 1 << 16)
    try pair.near.sendNow(message(30_000), SCTPSendInfo(association: pair.nearID))
    sleep(milliseconds: 50)
    try pair.near.abort(pair.nearID)
    _ = try pair.near.nextChange(.lost)
    let target = try pair.far.localAddress()
    try pair.near.send([9].span, to: target, until: .after(sctpPatience))
    var bytes: [UInt8] = []
    var seen: [String] = []
    while bytes != [9] {
      switch try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience)) {
      case .message(let message): seen.append("message of \(message.count)")
      case .notification(.partialDelivery(let event)): seen.append("aborted \(event.isAborted)")
      case .notification(.associationChange(let change)): seen.append("\(change.state)")
      case let other: seen.append("\(other)")
      }
    }
    #expect(seen == ["aborted true", "lost", "up", "message of 1"])
    let unfinished = assembler.unfinishedCount
    #expect(unfinished == 0)
  }

  @Test func piecesOfSeveralAssociationsAreSorted() throws {
    let server = try listeningEndpoint { endpoint throws(SocketError) in
      try Self.inPieces(endpoint)
      try endpoint.setOption(.fragmentInterleave, to: true)
    }
    let first = try listeningEndpoint(configure: Self.inPieces)
    let second = try listeningEndpoint(configure: Self.inPieces)
    let target = try server.localAddress()
    let ids = [try first.connect(to: target), try second.connect(to: target)]
    _ = try first.nextChange(.up)
    _ = try second.nextChange(.up)
    let sent = [message(20_000, 7), message(24_000, 99)]
    try first.sendNow(sent[0], SCTPSendInfo(stream: 1, payloadProtocol: 11, association: ids[0]))
    try second.sendNow(sent[1], SCTPSendInfo(stream: 1, payloadProtocol: 12, association: ids[1]))
    sleep(milliseconds: 30)
    var assembler = try SCTPMessageAssembler(for: server, messageLimit: 1 << 16, pieceCapacity: 700)
    var bytes: [UInt8] = []
    var seen: [UInt32: [UInt8]] = [:]
    var together = 0
    let deadline = Deadline.after(sctpPatience)
    while seen.count < 2, !deadline.hasPassed {
      switch try assembler.receive(into: &bytes, from: server) {
      case .message(let message): seen[message.info?.payloadProtocol ?? 0] = bytes
      case .notification: continue
      case nil:
        together = max(together, assembler.unfinishedCount)
        sleep(milliseconds: 1)
      case .endOfStream: throw Surprise("an end")
      }
    }
    #expect(seen[11] == sent[0] && seen[12] == sent[1])
    #expect(together == 2)
  }

  /// I-DATA (RFC 8260), which a switch of the network namespace allows.
  @Test func piecesOfSeveralStreamsAreSorted() throws {
    let made = try socketsInNamespace {
      guard writeFile("/proc/sys/net/sctp/intl_enable", "1") else { throw Surprise("no net.sctp.intl_enable") }
      return try (0..<2).map { _ in
        try listeningEndpoint { endpoint throws(SocketError) in
          try Self.inPieces(endpoint)
          try endpoint.setOption(.fragmentInterleave, to: true)
          try endpoint.setOption(.interleavingSupported, to: true)
          try endpoint.setOption(.streamScheduler, to: .roundRobin)
        }.releaseDescriptor().release()
      }
    }
    guard let made else { return }
    let near = SCTPOneToManySocket(owning: unsafe Descriptor(unsafeOwning: made[0]))
    let far = SCTPOneToManySocket(owning: unsafe Descriptor(unsafeOwning: made[1]))
    let id = try near.connect(to: far.localAddress())
    _ = try near.nextChange(.up)
    #expect(try near.option(.interleavingSupported, of: id))
    let sent = [message(12_000, 3), message(12_500, 50), message(11_000, 77)]
    for (index, bytes) in sent.enumerated() {
      var info = SCTPSendInfo(stream: UInt16(index), payloadProtocol: UInt32(index) + 20, association: id)
      info.isUnordered = index == 2
      try near.sendNow(bytes, info)
    }
    sleep(milliseconds: 30)
    var assembler = try SCTPMessageAssembler(for: far, messageLimit: 1 << 16)
    var bytes: [UInt8] = []
    var seen: [UInt32: [UInt8]] = [:]
    var together = 0
    let deadline = Deadline.after(sctpPatience)
    while seen.count < sent.count, !deadline.hasPassed {
      switch try assembler.receive(into: &bytes, from: far) {
      case .message(let message):
        seen[message.info?.payloadProtocol ?? 0] = bytes
        #expect(message.info?.isUnordered == (message.info?.stream == 2))
      case .notification: continue
      case nil:
        together = max(together, assembler.unfinishedCount)
        sleep(milliseconds: 1)
      case .endOfStream: throw Surprise("an end")
      }
    }
    for (index, bytes) in sent.enumerated() { #expect(seen[UInt32(index) + 20] == bytes, "stream \(index)") }
    #expect(together > 1)
  }

  @Test func aMessageBeyondTheLimitIsDroppedAsAWhole() throws {
    for (limits, room) in [((5000, 5000), 65536), ((5000, 5000), 700), ((20_000, 20_000), 700)] as [((Int, Int), Int)] {
      let pair = try EndpointPair()
      var assembler = try SCTPMessageAssembler(
        for: pair.far, messageLimit: limits.0, totalLimit: limits.1, pieceCapacity: room)
      let long = message(20_000)
      let isAllowed = limits.0 >= long.count
      try pair.near.sendNow(long, SCTPSendInfo(association: pair.nearID))
      try pair.near.sendNow([4, 5], SCTPSendInfo(association: pair.nearID))
      var bytes: [UInt8] = []
      if isAllowed {
        _ = try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience))
        #expect(bytes == long)
      } else {
        let code = failureCode { _ = try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience)) }
        #expect(code == .messageTooLarge && bytes.isEmpty)
      }
      let next = try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience))
      guard case .message = next else {
        Issue.record("\(next)")
        continue
      }
      #expect(bytes == [4, 5])
      let unfinished = assembler.unfinishedCount
      #expect(unfinished == 0)
    }
  }

  /// Two long messages at once exceed what all may have together; the one that goes beyond is dropped.
  @Test func theLimitOfAllMessagesHolds() throws {
    let server = try listeningEndpoint { endpoint throws(SocketError) in
      try Self.inPieces(endpoint)
      try endpoint.setOption(.fragmentInterleave, to: true)
    }
    let first = try listeningEndpoint(configure: Self.inPieces)
    let second = try listeningEndpoint(configure: Self.inPieces)
    let target = try server.localAddress()
    try first.send(message(9000).span, to: target, until: .after(sctpPatience))
    try second.send(message(9000).span, to: target, until: .after(sctpPatience))
    var assembler = try SCTPMessageAssembler(for: server, messageLimit: 9000, totalLimit: 9000)
    // Neither message can end, because the filter drops what comes from now on.
    sleep(milliseconds: 50)
    try server.setOption(.filter, to: dropping(0))
    var bytes: [UInt8] = []
    var codes: [SocketError.Code] = []
    var whole = 0
    let deadline = Deadline.after(.milliseconds(300))
    func take() throws {
      do throws(SocketError) {
        if case .message = try assembler.receive(into: &bytes, from: server) { whole += 1 }
      } catch {
        codes.append(error.code)
      }
    }
    while !deadline.hasPassed { try take() }
    try server.setOption(.filter, to: nil)
    let end = Deadline.after(sctpPatience)
    while whole + codes.count < 2, !end.hasPassed { try take() }
    #expect(whole == 1 && codes == [.capacityExceeded])
    #expect(bytes == message(9000))
  }

  /// The part that has arrived at the deadline stays for the next call.
  @Test func theTimeMayBeOverInTheMiddle() throws {
    let pair = try EndpointPair(configure: Self.inPieces)
    var assembler = try SCTPMessageAssembler(for: pair.far, messageLimit: 1 << 16)
    let sent = message(30_000)
    try pair.near.sendNow(sent, SCTPSendInfo(stream: 2, payloadProtocol: 8, association: pair.nearID))
    sleep(milliseconds: 50)
    try pair.far.setOption(.filter, to: dropping(0))
    var bytes: [UInt8] = [42]
    let code = failureCode {
      _ = try assembler.receive(into: &bytes, from: pair.far, until: .after(.milliseconds(100)))
    }
    let begun = assembler.unfinishedCount
    #expect(code == .timedOut && begun == 1 && bytes == [42])
    try pair.far.setOption(.filter, to: nil)
    let arrival = try assembler.receive(into: &bytes, from: pair.far, until: .after(sctpPatience))
    guard case .message(let whole) = arrival else {
      Issue.record("\(arrival)")
      return
    }
    #expect(bytes == sent && whole.count == sent.count && whole.info?.stream == 2 && whole.info?.payloadProtocol == 8)
  }

  @Test func socketsOfOneAssociationServeToo() throws {
    let sent = [message(30_000), [7], message(5000, 5)]
    try sctpPair().split { client, server in
      var assembler = try SCTPMessageAssembler(for: server, messageLimit: 1 << 16, pieceCapacity: 1000)
      for bytes in sent { try client.sendNow(bytes, SCTPSendInfo(stream: 1)) }
      var bytes: [UInt8] = []
      for wanted in sent {
        let arrival = try assembler.receive(into: &bytes, from: server, until: .after(sctpPatience))
        guard case .message(let message) = arrival else { throw Surprise("\(arrival)") }
        #expect(bytes == wanted && message.info?.stream == 1)
      }
      try client.close()
      let end = try assembler.receive(into: &bytes, from: server, until: .after(sctpPatience))
      guard case .endOfStream = end else { throw Surprise("\(end)") }
    }
    try EndpointPair(configure: Self.inPieces).peel().split { near, far in
      var assembler = try SCTPMessageAssembler(for: far, messageLimit: 1 << 16)
      try near.sendNow(message(30_000), SCTPSendInfo(stream: 1))
      sleep(milliseconds: 50)
      try far.setOption(.filter, to: dropping(0))
      var bytes: [UInt8] = []
      let code = failureCode { _ = try assembler.receive(into: &bytes, from: far, until: .after(.milliseconds(50))) }
      let begun = assembler.unfinishedCount
      #expect(code == .timedOut && begun == 1)
      try near.abort(reason: Span())
      var seen: [String] = []
      for _ in 0..<3 {
        switch try assembler.receive(into: &bytes, from: far, until: .after(sctpPatience)) {
        case .notification(.partialDelivery): seen.append("aborted")
        case .notification(.associationChange(let change)): seen.append("\(change.state)")
        case let other: throw Surprise("\(other)")
        }
        if seen.last == "lost" { break }
      }
      let left = assembler.unfinishedCount
      #expect(seen == ["aborted", "lost"] && left == 0)
    }
  }
}
