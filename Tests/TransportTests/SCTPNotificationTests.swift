import Glibc
import SocketKit
import TestSupport
import Testing

/// Each kind of notification, provoked. Association changes, send failures and shutdowns: ``SCTPOneToManySocketTests``.
@Suite(.exclusive, .needsSCTP) struct SCTPNotificationTests {
  private func setSystem(_ name: String, _ value: Int) throws {
    #expect(writeFile("/proc/sys/net/sctp/\(name)", "\(value)"), "net.sctp.\(name) cannot be set")
  }

  @Test func eachIsSwitchedOnAlone() throws {
    let endpoint = try SCTPOneToManySocket.bind(to: .loopback(port: 0))
    func on() throws -> [SCTPEvent] { try SCTPEvent.all.filter { try endpoint.option(.event($0)) } }
    let first = try on()
    #expect(first.isEmpty)
    for event in SCTPEvent.all {
      try endpoint.setOption(.event(event), of: .all, to: true)
      let seen = try on()
      #expect(seen == [event])
      try endpoint.setOption(.event(event), of: .all, to: false)
    }
    let unknown = failureCode { try endpoint.setOption(.event(SCTPEvent(rawValue: 0x80ff)), of: .all, to: true) }
    #expect(unknown == .invalidArgument)
    // One association's alone.
    let pair = try EndpointPair()
    try pair.near.setOption(.event(.senderDry), of: pair.nearID, to: true)
    let scopes = [
      try pair.near.option(.event(.senderDry)), try pair.near.option(.event(.senderDry), of: pair.nearID),
      try pair.far.option(.event(.senderDry), of: pair.farID),
    ]
    #expect(scopes == [false, true, false])
    try pair.near.setOption(.event(.associationChange), of: .all, to: false)
    try pair.near.abort(pair.nearID)
    // The dry sender was told of when it was switched on; the abort is not.
    let dry = try pair.near.nextNotification { notification, _ in notification.association }
    #expect(dry == pair.nearID)
    try pair.near.expectNothing()
  }

  @Test func theSenderRunsDry() throws {
    let pair = try EndpointPair([.senderDry])
    try pair.near.sendNow([1], SCTPSendInfo(association: pair.nearID))
    let association = try pair.near.nextNotification { notification, _ -> SCTPAssociationID? in
      if case .senderDry(let association) = notification { association } else { nil }
    }
    #expect(association == pair.nearID)
  }

  @Test func theAdaptationLayerIsTold() throws {
    let near = try listeningEndpoint { endpoint throws(SocketError) in
      try endpoint.setOption(.adaptationLayer, to: 0x0102_0304)
    }
    let far = try listeningEndpoint([.adaptation])
    _ = try near.connect(to: far.localAddress())
    let number = try far.nextNotification { notification, _ -> UInt32? in
      if case .adaptation(let number, let association) = notification, association.isOne { number } else { nil }
    }
    #expect(number == 0x0102_0304)
  }

  @Test func aPeerWithoutAuthenticationIsTold() throws {
    let pair = try EndpointPair([.authentication])
    let event = try pair.near.nextNotification { notification, _ -> SCTPAuthentication? in
      if case .authentication(let event) = notification { event } else { nil }
    }
    #expect(event.event == .noAuthentication && event.association == pair.nearID)
  }

  @Test func addressesAreConfirmedAndBecomeUnreachable() throws {
    try inNamespaceWithLoopback {
      let second = IPSocketAddress(IPv4Address(127, 0, 0, 2), port: 0)
      let near = try listeningEndpoint([.associationChange, .peerAddressChange]) { endpoint throws(SocketError) in
        let timeout = Duration.milliseconds(60)
        try endpoint.setOption(
          .retransmissionTimeouts,
          to: SCTPRetransmissionTimeouts(initial: timeout, minimum: timeout, maximum: timeout))
      }
      let far = try listeningEndpoint([.associationChange])
      let more = second.with(port: try far.localAddress().port)
      try far.perform(.addLocalAddresses([more]))
      let id = try near.connect(to: far.localAddress())
      let confirmed = try near.nextNotification { notification, _ -> SCTPPeerAddressChange? in
        if case .peerAddressChange(let change) = notification { change } else { nil }
      }
      #expect(confirmed.state == .confirmed && confirmed.association == id)
      let known = [more, try far.localAddress()]
      #expect(confirmed.address.map { known.contains($0) } == true)
      // Packets to the second address are dropped from now on: the IP header's destination. Two heartbeats without an
      // answer are enough.
      try far.setOption(
        .filter, to: [.load(.word, at: 0xfff0_0010), .jump(if: .equal(0x7f00_0002), then: 0, else: 1), .drop, .accept])
      var parameters = SCTPPathParameters()
      parameters.heartbeat = .on(every: .milliseconds(10))
      parameters.maximumRetransmissions = 1
      try near.setOption(.path(to: more).parameters, of: id, to: parameters)
      try near.perform(.sendHeartbeat(to: more), of: id)
      let lost = try near.nextNotification { notification, _ -> SCTPPeerAddressChange? in
        guard case .peerAddressChange(let change) = notification, change.state != .confirmed else { return nil }
        return change
      }
      #expect(lost.state == .unreachable && lost.address == more)
      // The association goes on by the other path.
      try near.sendNow([1], SCTPSendInfo(association: id))
      let message = try far.nextMessage()
      #expect(message.bytes == [1])
    }
  }

  @Test func anErrorOfThePeerIsTold() throws {
    let pair = try EndpointPair([.remoteError])
    let injector = try SCTPInjector()
    try pair.far.sendNow([1], SCTPSendInfo(association: pair.farID))
    let tag = try injector.tag(from: try pair.far.localAddress().port, to: try pair.near.localAddress().port)
    // ERROR: invalid stream identifier 5 (RFC 9260, 3.3.10.1).
    try injector.send(
      chunk: [9, 0, 0, 12, 0, 1, 0, 8, 0, 5, 0, 0], from: pair.far.localAddress().port,
      to: pair.near.localAddress().port, tag: tag)
    let (error, data) = try pair.near.nextNotification { notification, buffer in
      guard case .remoteError(let error) = notification else { return nil as (SCTPRemoteError, [UInt8])? }
      return (error, Array(buffer[error.data.range]))
    }
    #expect(error.cause == .invalidStream && error.association == pair.nearID && data == [0, 5, 0, 0])
  }

  @Test func partialDeliveryThatIsGivenUpIsTold() throws {
    let pair = try EndpointPair([.partialDelivery]) { endpoint throws(SocketError) in
      // Many chunks.
      try endpoint.setOption(.maximumSegment, to: 1000)
      try endpoint.setOption(.partialDeliveryPoint, to: 4000)
    }
    // Longer than the peer's window: the beginning is delivered while the rest cannot come.
    let long = [UInt8](repeating: 5, count: 180_000)
    try pair.near.sendNow(long, SCTPSendInfo(stream: 3, association: pair.nearID))
    let first = try pair.far.nextMessage(1000)
    #expect(!first.message.isComplete && first.bytes == Array(long.prefix(1000)))
    try pair.near.abort(pair.nearID)
    var isTold = false
    var isLost = false
    while !isLost {
      let (arrival, _) = try pair.far.next(65536)
      switch arrival {
      case .message(let message): #expect(!message.isComplete)
      case .notification(.partialDelivery(let event)):
        #expect(event.isAborted && event.association == pair.farID)
        isTold = true
      case .notification(.associationChange(let change)):
        #expect(change.state == .lost)
        isLost = true
      case .notification, .endOfStream: break
      }
    }
    #expect(isTold)
  }

  @Test func streamsAndAssociationsAreReset() throws {
    try inNamespaceWithLoopback {
      try setSystem("reconf_enable", 1)
      let pair = try EndpointPair([.streamReset, .associationReset, .streamChange]) {
        endpoint throws(SocketError) in
        try endpoint.setOption(.streamChanges, to: [.resetStreams, .resetAssociation, .addStreams])
      }
      try pair.near.perform(.resetStreams(.outgoing, numbers: [2, 5]), of: pair.nearID)
      for isNear in [true, false] {
        let wanted = { (notification: SCTPNotification, buffer: [UInt8]) -> (SCTPStreamReset, [UInt16])? in
          guard case .streamReset(let reset) = notification else { return nil }
          return (reset, reset.streamNumbers(in: buffer.span))
        }
        let (reset, streams) =
          isNear ? try pair.near.nextNotification(4096, wanted) : try pair.far.nextNotification(4096, wanted)
        #expect(reset.result == .done && streams == [2, 5] && reset.isOutgoing == isNear && reset.isIncoming != isNear)
      }
      try pair.near.perform(.addStreams(outgoing: 3), of: pair.nearID)
      let grown = try pair.near.nextNotification { notification, _ -> SCTPStreamChange? in
        if case .streamChange(let change) = notification { change } else { nil }
      }
      #expect(grown.result == .done && grown.outgoingStreams == 3)
      let reach = failureCode { try pair.near.sendNow([1], SCTPSendInfo(stream: 12, association: pair.nearID)) }
      #expect(reach == nil)
      _ = try pair.far.nextMessage()
      sleep(milliseconds: 300)  // until it is acknowledged: a reset wants nothing under way
      try pair.near.perform(.resetAssociation, of: pair.nearID)
      let renewed = try pair.near.nextNotification { notification, _ -> SCTPAssociationReset? in
        if case .associationReset(let reset) = notification { reset } else { nil }
      }
      #expect(renewed.result == .done && renewed.association == pair.nearID)
    }
  }

  /// A notification that is longer than the buffer is taken whole; what has no room is counted, and nothing after it
  /// suffers.
  @Test func longNotificationsLeaveNothingBehind() throws {
    for room in [0, 1, 7, 8, 11, 31, 32, 33, 40, 132, 133, 4096] {
      let gone = try SCTPOneToManySocket.bind(to: .loopback(port: 0))
      let client = try listeningEndpoint([.sendFailed])
      let sent = (0..<100).map { UInt8($0) }
      try client.send(sent.span, to: try gone.localAddress(), until: .after(sctpPatience))
      let (arrival, buffer) = try client.next(room)
      guard case .notification(.sendFailed(let failure)) = arrival else {
        Issue.record("\(arrival) with room for \(room)")
        continue
      }
      let there = max(0, min(100, room - 32))
      #expect(failure.payload.range.count == there && failure.payload.missing == 100 - there, "room for \(room)")
      #expect(Array(buffer[failure.payload.range]) == Array(sent.prefix(there)))
      try client.expectNothing()
    }
  }
}
