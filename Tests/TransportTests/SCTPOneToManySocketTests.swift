import Glibc
import SocketKit
import TestSupport
import Testing

/// One-to-many sockets: messages, associations and their ends.
@Suite(.exclusive, .needsSCTP) struct SCTPOneToManySocketTests {
  @Test func aMessageBeginsAnAssociationAndIsAnsweredByIt() throws {
    for address in [IPSocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)] {
      let server = try listeningEndpoint(on: address)
      let client = try SCTPOneToManySocket.open(address.family)
      try client.setOption(.event(.associationChange), of: .all, to: true)
      let target = try server.localAddress()
      try client.send(
        "hello".utf8.span, to: target, info: SCTPSendInfo(stream: 3, payloadProtocol: 46),
        until: .after(sctpPatience))
      let up = try server.nextChange(.up)
      let (message, bytes) = try server.nextMessage()
      #expect(bytes == Array("hello".utf8) && message.isComplete && message.association == up.association)
      #expect(message.info?.stream == 3 && message.info?.payloadProtocol == 46)
      let port = try client.localAddress().port
      #expect(message.source == address.with(port: port))
      try server.sendNow([1, 2], SCTPSendInfo(stream: 1, payloadProtocol: 7, association: message.association))
      let answer = try client.nextMessage()
      #expect(answer.bytes == [1, 2] && answer.message.info?.stream == 1 && answer.message.source == target)
      // By its address the association is found again.
      if let source = message.source { try server.send([3].span, to: source, until: .after(sctpPatience)) }
      let second = try client.nextMessage()
      #expect(second.bytes == [3] && second.message.association == answer.message.association)
      let counts = [try server.option(.associationCount), try client.option(.associationCount)]
      #expect(counts == [1, 1])
    }
  }

  @Test func aMessageForNobodyIsATypedError() throws {
    let endpoint = try listeningEndpoint()
    for nobody in [SCTPAssociationID.future, .current, .all] {
      let seen = failureCode { _ = try endpoint.send([1].span, info: SCTPSendInfo(association: nobody)) }
      #expect(seen == .destinationRequired)
    }
    let waiting = failureCode { try endpoint.sendNow([1], SCTPSendInfo()) }
    var batch = MessageBatch(capacity: 2, messageCapacity: 16, ancillaryCapacity: 80)
    try batch.append([1].span, info: SCTPSendInfo())
    let batched = failureCode { _ = try batch.send(on: endpoint) }
    batch.removeAll()
    try batch.append([1].span)
    let bare = failureCode { _ = try batch.send(on: endpoint) }
    #expect(waiting == .destinationRequired && batched == .destinationRequired && bare == .destinationRequired)
    let ended = [
      failureCode { try endpoint.shutdown(.future) }, failureCode { try endpoint.abort(.all) },
      failureCode { _ = try endpoint.peelOff(.future) },
    ]
    #expect(ended == [.destinationRequired, .destinationRequired, .invalidArgument])
    // A number that nobody has is another thing.
    let unknown = SCTPAssociationID(rawValue: 1 << 20)
    let codes = [
      failureCode { _ = try endpoint.send([1].span, info: SCTPSendInfo(association: unknown)) },
      failureCode { try endpoint.shutdown(unknown) }, failureCode { try endpoint.abort(unknown) },
      failureCode { _ = try endpoint.peelOff(unknown) },
      failureCode { try endpoint.setOption(.event(.shutdown), of: unknown, to: true) },
    ]
    #expect(codes == [.brokenPipe, .brokenPipe, .brokenPipe, .invalidArgument, .invalidArgument])
  }

  @Test func badMessagesAreTypedErrors() throws {
    let pair = try EndpointPair()
    let id = pair.nearID
    let empty = failureCode { _ = try pair.near.send([UInt8]().span, info: SCTPSendInfo(association: id)) }
    let noSuchStream = failureCode { _ = try pair.near.send([1].span, info: SCTPSendInfo(stream: 10, association: id)) }
    let long = [UInt8](repeating: 1, count: 300_000)
    let tooLong = failureCode { _ = try pair.near.send(long.span, info: SCTPSendInfo(association: id)) }
    let otherVersion = failureCode { _ = try pair.near.send([1].span, to: .loopbackIPv6(port: 9)) }
    #expect(empty == .invalidArgument && noSuchStream == .invalidArgument && tooLong == .messageTooLarge)
    #expect(otherVersion == .invalidArgument)
    // A key is nothing to a peer that does not authenticate.
    var info = SCTPSendInfo(association: id)
    info.key = 7
    try pair.near.sendNow([5], info)
    let after = try pair.far.nextMessage()
    #expect(after.bytes == [5])
  }

  @Test func nobodyListensThere() throws {
    let gone = try SCTPOneToManySocket.bind(to: .loopback(port: 0))
    let target = try gone.localAddress()
    let client = try SCTPOneToManySocket.bind(to: .loopback(port: 0)) { endpoint throws(SocketError) in
      try endpoint.setOption(.event(.associationChange), of: .all, to: true)
      try endpoint.setOption(.event(.sendFailed), of: .all, to: true)
      try endpoint.setOption(.event(.oldSendFailed), of: .all, to: true)
    }
    var info = SCTPSendInfo(stream: 2, payloadProtocol: 99)
    info.context = 4711
    try client.send("lost".utf8.span, to: target, info: info, until: .after(sctpPatience))
    let change = try client.nextChange(.cannotStart)
    #expect(change.isEnd)
    for _ in 0..<2 {
      let (failure, payload) = try client.nextNotification { notification, buffer in
        guard case .sendFailed(let failure) = notification else { return nil as (SCTPSendFailure, [UInt8])? }
        return (failure, Array(buffer[failure.payload.range]))
      }
      #expect(!failure.wasSent && payload == Array("lost".utf8) && failure.payload.missing == 0)
      #expect(failure.info.context == 4711 && failure.info.stream == 2 && failure.info.payloadProtocol == 99)
    }
  }

  /// A connect without a message returns before the peer's answer, so the call itself does not fail.
  @Test func aRefusedConnectIsReportedLater() throws {
    let nobody = try SCTPOneToManySocket.bind(to: .loopback(port: 0))
    let target = try nobody.localAddress()
    let client = try listeningEndpoint()
    let first = try client.connect(to: target)
    let change = try client.nextChange(.cannotStart)
    #expect(change.association == first && change.isEnd)
    // To generic code it is the failure of a receive.
    let second = try client.connect(to: target)
    var buffer: [UInt8] = [0]
    var source: SCTPAssociationID?
    var info = MessageInfo()
    let error = refusal {
      _ = try client.receive(into: buffer.mutableSpan, from: &source, &info, until: .after(sctpPatience))
    }
    #expect(error == SocketError(.failure(errno: ECONNREFUSED), .receive) && source == second && second != first)
    let count = try client.option(.associationCount)
    #expect(count == 0)
    let late = refusal { try client.sendNow([1], SCTPSendInfo(association: second)) }
    #expect(late == SocketError(.failure(errno: EPIPE), .send))
  }

  @Test func associationsAreListedShutDownAndAborted() throws {
    let server = try listeningEndpoint([.associationChange, .shutdown])
    let target = try server.localAddress()
    let first = try listeningEndpoint([.associationChange, .shutdown])
    let second = try listeningEndpoint()
    for number in [try first.connect(to: target), try second.connect(to: target)] { #expect(number.isOne) }
    let ids = [try server.nextChange(.up).association, try server.nextChange(.up).association]
    let listed = try server.option(.associations)
    #expect(Set(listed) == Set(ids) && ids.count == 2)
    _ = try first.nextChange(.up)
    _ = try second.nextChange(.up)
    // In order: what was sent is delivered first, and the other side hears of the wish.
    let firstID = try #require(try first.option(.associations).first)
    try first.sendNow([1, 2, 3], SCTPSendInfo(association: firstID))
    try first.shutdown(firstID)
    let last = try server.nextMessage()
    #expect(last.bytes == [1, 2, 3])
    let wish = try server.nextNotification { notification, _ -> SCTPAssociationID? in
      if case .shutdown(let association) = notification { association } else { nil }
    }
    let end = try server.nextChange(.shutDown)
    #expect(wish == last.message.association && end.association == wish)
    _ = try first.nextChange(.shutDown)
    let refused = failureCode { try first.sendNow([4], SCTPSendInfo(association: firstID)) }
    #expect(refused == .brokenPipe)
    // At once, with a reason.
    let rest = try #require(try server.option(.associations).first)
    try server.abort(rest, reason: "no more, thanks".utf8.span)
    let (lost, reason) = try second.nextNotification { notification, buffer in
      guard case .associationChange(let change) = notification else {
        return nil as (SCTPAssociationChange, [UInt8]?)?
      }
      return (change, SCTPErrorCause.reason(in: buffer.span.extracting(change.causes.range)))
    }
    #expect(lost.state == .lost && lost.cause == .userAbort && reason == Array("no more, thanks".utf8))
    let own = try server.nextChange(.lost)
    #expect(own.association == rest)
    let counts = [try server.option(.associationCount), try second.option(.associationCount)]
    #expect(counts == [0, 0])
  }

  @Test func closingInOrderWaitsUntilEverythingIsDelivered() throws {
    let pair = try EndpointPair()
    for index in 0..<20 as Range<UInt8> { try pair.near.sendNow([index], SCTPSendInfo(association: pair.nearID)) }
    try pair.split { near, far, farID in
      let aborted = try near.close(until: .after(sctpPatience))
      #expect(aborted == 0)
      for index in 0..<20 as Range<UInt8> {
        let (message, bytes) = try far.nextMessage()
        #expect(bytes == [index] && message.association == farID)
      }
      _ = try far.nextChange(.shutDown)
    }
  }

  /// A listening endpoint cannot be shut down for reading. Another one can, although the kernel says that it is not
  /// connected (inet_shutdown in net/ipv4/af_inet.c): it then reports the end, and no notification any more.
  @Test func closingInOrderAfterTheEndOfReceivingCostsNoCPU() throws {
    let server = try listeningEndpoint()
    #expect(failureCode { try server.shutdown(.read) } == .notSupported)
    let client = try SCTPOneToManySocket.open()
    try client.send([1].span, to: server.localAddress(), until: .after(sctpPatience))
    _ = try server.nextMessage()
    let association = try #require(try client.option(.associations).first)
    // The peer does not read, so that its window closes and not everything can be delivered.
    let block = [UInt8](repeating: 7, count: 50_000)
    while try client.send(block.span, info: SCTPSendInfo(association: association)) != nil {}
    #expect(failureCode { try client.shutdown(.read) } == .notConnected)
    var buffer: [UInt8] = [0]
    let end = try client.receive(into: buffer.mutableSpan, until: .after(sctpPatience))
    guard case .endOfStream = end else {
      Issue.record("\(end)")
      return
    }
    let used = threadCPUTime()
    let aborted = try client.close(until: .after(.milliseconds(1000)))
    #expect(aborted == 1)
    // Milliseconds. A closing that spins uses all of the time; the kernel charges some for probing the peer's window.
    #expect(threadCPUTime() - used < 300)
  }

  @Test func closingInOrderAbortsAtItsDeadline() throws {
    let pair = try EndpointPair()
    // The peer does not read, so that its window closes and not everything can be delivered.
    let block = [UInt8](repeating: 7, count: 50_000)
    while try pair.near.send(block.span, info: SCTPSendInfo(association: pair.nearID)) != nil {}
    try pair.split { near, far, _ in
      let aborted = try near.close(until: .after(.milliseconds(100)))
      #expect(aborted == 1)
      let change = try far.nextChange(.lost)
      #expect(change.cause == .userAbort)
    }
  }

  @Test func waitsEndAtTheirDeadlineAndWhenCancelled() throws {
    let endpoint = try listeningEndpoint()
    var buffer = [UInt8](repeating: 0, count: 16)
    let late = failureCode { _ = try endpoint.receive(into: buffer.mutableSpan, until: .after(.milliseconds(20))) }
    let past = failureCode { _ = try endpoint.receive(into: buffer.mutableSpan, until: .past) }
    let control = WaitControl()
    control.cancel()
    let cancelled = failureCode {
      _ = try endpoint.receive(
        into: buffer.mutableSpan, until: .never.spinning(40, thenYielding: 4).cancellable(by: control))
    }
    #expect(late == .timedOut && past == .timedOut && cancelled == .cancelled)
    try endpoint.expectNothing()
  }

  @Test func endpointsAreAdoptedAndOthersAreNot() throws {
    let endpoint = try listeningEndpoint()
    let address = try endpoint.localAddress()
    let raw = endpoint.releaseDescriptor().release()
    let wrong = failureCode { _ = try SCTPAssociationSocket(adopting: raw.duplicate()) }
    #expect(wrong == .wrongSocketKind)
    let again = try SCTPOneToManySocket(adopting: owning(raw))
    let same = try again.localAddress()
    #expect(same == address)
    let tcp = try TCPSocket.listen(on: .loopback(port: 0)).release()
    let others = [
      failureCode { _ = try SCTPOneToManySocket(adopting: tcp.raw.duplicate()) },
      failureCode { _ = try SCTPAssociationSocket(adopting: tcp.raw.duplicate()) },
      failureCode { _ = try SCTPOneToManySocket(adopting: owning(999)) },
    ]
    #expect(others == [.wrongSocketKind, .wrongSocketKind, .closed])
    let taken = failureCode { _ = try SCTPOneToManySocket.bind(to: address) }
    let foreign = failureCode {
      _ = try SCTPOneToManySocket.bind(to: IPSocketAddress(IPv4Address(bits: 0x0808_0808), port: 0))
    }
    #expect(taken == .addressInUse && foreign == .addressNotAvailable)
  }

  @Test func batchesKeepMessagesAndWhatBelongsToThem() throws {
    let pair = try EndpointPair()
    var batch = MessageBatch(capacity: 8, messageCapacity: 256, ancillaryCapacity: 80)
    for index in 0..<6 as Range<UInt16> {
      try batch.append(
        [UInt8(index)].span,
        info: SCTPSendInfo(stream: index, payloadProtocol: UInt32(index) << 24, association: pair.nearID))
    }
    while batch.sent < 6 { _ = try batch.send(on: pair.near) }
    var seen: [UInt16] = []
    while seen.count < 6 {
      let count = try batch.receive(from: pair.far, until: .after(sctpPatience))
      for slot in 0..<count {
        guard case .message(let message) = batch.sctpMessage(at: slot), let info = message.info else { continue }
        let byte = batch[slot].bytes[0]
        #expect(UInt16(byte) == info.stream && info.payloadProtocol == UInt32(byte) << 24 && message.isComplete)
        seen.append(info.stream)
        try batch.replySCTP(at: slot)
      }
      while batch.sent < count { _ = try batch.send(on: pair.far) }
    }
    #expect(seen == Array(0..<6))
    for index in 0..<6 as Range<UInt8> {
      let echo = try pair.near.nextMessage()
      #expect(echo.bytes == [index] && echo.message.info?.stream == UInt16(index))
    }
    // A notification in a batch.
    try pair.near.abort(pair.nearID)
    let count = try batch.receive(from: pair.far, until: .after(sctpPatience))
    let outcome = batch.sctpMessage(at: count - 1)
    guard case .notification(.associationChange(let change)) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(change.state == .lost)
    // Room that is too small.
    var small = MessageBatch(capacity: 1, messageCapacity: 8, ancillaryCapacity: 16)
    let noRoom = failureCode { try small.append([1].span, info: SCTPSendInfo()) }
    #expect(noRoom == .capacityExceeded && small.count == 0)
  }
}
