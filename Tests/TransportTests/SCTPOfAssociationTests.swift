import SocketKit
import TestSupport
import Testing

/// What is set or asked `of:` one association of an endpoint reaches that one, and neither the others nor the defaults.
@Suite(.exclusive, .needsSCTP) struct SCTPOfAssociationTests {
  /// Changes an option of the first association, and expects it changed there alone.
  private func expectAlone<Value: Equatable & Sendable>(
    _ fan: Fan, _ option: SCTPAssociationOption<Value>, _ name: String, _ change: (inout Value) -> Void
  ) throws {
    let before = try fan.scopes.map { try fan.hub.option(option, of: $0) }
    var wanted = before
    change(&wanted[0])
    #expect(wanted != before, "\(name) would not change")
    try fan.hub.setOption(option, of: fan.first, to: wanted[0])
    let after = try fan.scopes.map { try fan.hub.option(option, of: $0) }
    #expect(after == wanted, "\(name): the first association, the second, the default")
  }

  @Test func optionsOfOneAssociation() throws {
    let fan = try Fan()
    try expectAlone(fan, .context, "context") { $0 = 77 }
    try expectAlone(fan, .maximumBurst, "maximumBurst") { $0 = 9 }
    try expectAlone(fan, .maximumSegment, "maximumSegment") { $0 = 1000 }
    try expectAlone(fan, .exposesPotentiallyFailed, "exposesPotentiallyFailed") { $0 = true }
    try expectAlone(fan, .streamChanges, "streamChanges") { $0 = [.resetStreams, .addStreams] }
    try expectAlone(fan, .streamScheduler, "streamScheduler") { $0 = .priority }
    try expectAlone(fan, .retransmissionTimeouts, "retransmissionTimeouts") {
      $0 = SCTPRetransmissionTimeouts(initial: .seconds(2), minimum: .milliseconds(500), maximum: .seconds(9))
    }
    try expectAlone(fan, .associationParameters, "associationParameters") {
      $0.maximumRetransmissions = 4
      $0.cookieLife = .seconds(50)
    }
    try expectAlone(fan, .delayedAcknowledgement, "delayedAcknowledgement") {
      $0 = SCTPDelayedAcknowledgement(delay: .milliseconds(100), packets: 3)
    }
    try expectAlone(fan, .defaultSendInfo, "defaultSendInfo") {
      $0.stream = 3
      $0.payloadProtocol = 0xcafe
      $0.context = 8
      $0.expiry = .after(.seconds(20))
    }
    // All that there are, and those with the default.
    func contexts() throws -> [UInt32] { try fan.scopes.map { try fan.hub.option(.context, of: $0) } }
    try fan.hub.setOption(.context, of: .current, to: 5)
    #expect(try contexts() == [5, 5, 0])
    try fan.hub.setOption(.context, of: .all, to: 6)
    #expect(try contexts() == [6, 6, 6])
    try fan.hub.setOption(.context, to: 7)
    #expect(try contexts() == [6, 6, 7])
  }

  /// Of an association these tell what both ends support.
  @Test func whatBothEndsSupport() throws {
    try inNamespaceWithLoopback {
      #expect(writeFile("/proc/sys/net/sctp/intl_enable", "1"))
      let options: [(String, SCTPAssociationOption<Bool>)] = [
        ("authentication", .authenticationSupported), ("address changes", .addressChangesSupported),
        ("ECN", .ecnSupported), ("partial reliability", .partialReliabilitySupported),
        ("reconfiguration", .reconfigurationSupported), ("interleaving", .interleavingSupported),
      ]
      let on: Fan.Configure = { (endpoint) throws(SocketError) in
        try endpoint.setOption(.fragmentInterleave, to: true)
        for (_, option) in options { try endpoint.setOption(option, to: true) }
      }
      let fan = try Fan(hub: on, left: on) { endpoint throws(SocketError) in
        try endpoint.setOption(.ecnSupported, to: false)
        try endpoint.setOption(.partialReliabilitySupported, to: false)
      }
      for (name, option) in options {
        let seen = try fan.scopes.map { try fan.hub.option(option, of: $0) }
        #expect(seen == [true, false, true], "\(name): the first association, the second, the default")
      }
    }
  }

  @Test func pathsOfOneAssociation() throws {
    let fan = try Fan()
    var parameters = try fan.scopes.map { try fan.hub.option(.paths.parameters, of: $0) }
    parameters[0].heartbeat = .on(every: .seconds(5))
    parameters[0].maximumRetransmissions = 7
    parameters[0].delayedAcknowledgements = .off
    var change = SCTPPathParameters()
    change.heartbeat = parameters[0].heartbeat
    change.maximumRetransmissions = 7
    change.delayedAcknowledgements = .off
    try fan.hub.setOption(.paths.parameters, of: fan.first, to: change)
    #expect(try fan.scopes.map { try fan.hub.option(.paths.parameters, of: $0) } == parameters)

    var thresholds = try fan.scopes.map { try fan.hub.option(.paths.thresholds, of: $0) }
    thresholds[0] = SCTPPathThresholds(failed: 3, potentiallyFailed: 1, primaryChange: 2)
    try fan.hub.setOption(.paths.thresholds, of: fan.first, to: thresholds[0])
    #expect(try fan.scopes.map { try fan.hub.option(.paths.thresholds, of: $0) } == thresholds)

    try fan.hub.setOption(.paths.mtuProbeInterval, of: fan.first, to: .seconds(6))
    #expect(try fan.scopes.map { try fan.hub.option(.paths.mtuProbeInterval, of: $0) } == [.seconds(6), nil, nil])

    try fan.hub.setOption(.paths.udpEncapsulationPort, of: fan.first, to: 9899)
    #expect(try fan.scopes.map { try fan.hub.option(.paths.udpEncapsulationPort, of: $0) } == [9899, 0, 0])
    try fan.hub.setOption(.paths.udpEncapsulationPort, of: fan.first, to: 0)

    let other = try #require(try fan.left.option(.localAddresses).last)
    let primary = try fan.hub.option(.primaryAddress, of: fan.second)
    try fan.hub.setOption(.primaryAddress, of: fan.first, to: other)
    #expect(
      try fan.hub.option(.primaryAddress, of: fan.first) == other
        && fan.hub.option(.primaryAddress, of: fan.second) == primary)
  }

  /// The kernel finds an association by its peer's address alone; the two must belong together all the same.
  @Test func anAddressOfAnotherAssociationIsRefused() throws {
    let fan = try Fan()
    let left = try fan.left.localAddress()
    func codes(_ id: SCTPAssociationID) -> [SocketError.Code?] {
      [
        failureCode { _ = try fan.hub.option(.path(to: left).parameters, of: id) },
        failureCode { try fan.hub.setOption(.path(to: left).parameters, of: id, to: SCTPPathParameters()) },
        failureCode { try fan.hub.perform(.sendHeartbeat(to: left), of: id) },
        failureCode { _ = try fan.hub.option(.pathInfo(to: left), of: id) },
        failureCode { try fan.hub.setOption(.primaryAddress, of: id, to: left) },
        failureCode { _ = try fan.hub.option(.path(to: left).thresholds, of: id) },
        failureCode {
          try fan.hub.setOption(.path(to: left).thresholds, of: id, to: SCTPPathThresholds(potentiallyFailed: 0))
        },
        failureCode { _ = try fan.hub.option(.path(to: left).mtuProbeInterval, of: id) },
        failureCode { try fan.hub.setOption(.path(to: left).mtuProbeInterval, of: id, to: nil) },
        failureCode { _ = try fan.hub.option(.path(to: left).udpEncapsulationPort, of: id) },
        failureCode { try fan.hub.setOption(.path(to: left).udpEncapsulationPort, of: id, to: 0) },
      ]
    }
    #expect(codes(fan.first).allSatisfy { $0 == nil }, "\(codes(fan.first))")
    var refused = [SocketError.Code?](repeating: .invalidArgument, count: 11)
    // The kernel's word for it, here alone.
    refused.replaceSubrange(5...6, with: [.noSuchPath, .noSuchPath])
    #expect(codes(fan.second) == refused)
  }

  @Test func stateOfOneAssociation() throws {
    let fan = try Fan()
    let peers = [
      (fan.first, try fan.left.option(.localAddresses)), (fan.second, try fan.right.option(.localAddresses)),
    ]
    for (id, addresses) in peers {
      let status = try fan.hub.option(.status, of: id)
      #expect(status.association == id && status.state == .established)
      #expect(status.primaryPath.address == addresses[0])
      #expect(try Set(fan.hub.option(.peerAddresses, of: id)) == Set(addresses))
      #expect(try Int(fan.hub.option(.associationParameters, of: id).peerAddressCount) == addresses.count)
      #expect(try fan.hub.option(.pathInfo(to: addresses[1]), of: id).address == addresses[1])
    }
    for (count, id) in [(3 as UInt64, fan.first), (1, fan.second)] {
      for _ in 0..<count { try fan.hub.sendNow([1], SCTPSendInfo(association: id)) }
      #expect(try fan.hub.option(.statistics, of: id).orderedChunksSent == count)
    }
    // Associations keep the addresses that they began with.
    let port = try fan.hub.localAddress().port
    try fan.hub.perform(.addLocalAddresses([.local(8)]))
    let all = Set([1, 7, 8].map { IPSocketAddress.local($0, port: port) })
    #expect(try Set(fan.hub.option(.localAddresses)) == all)
    #expect(try Set(fan.hub.option(.localAddresses, of: fan.first)) == all.subtracting([.local(8, port: port)]))
    let late = try listeningEndpoint()
    let third = try fan.hub.connect(to: late.localAddress())
    #expect(try Set(fan.hub.option(.localAddresses, of: third)) == all)
    let nobody = SCTPAssociationID(rawValue: 1 << 20)
    let codes = [
      failureCode { _ = try fan.hub.option(.status, of: nobody) },
      failureCode { _ = try fan.hub.option(.statistics, of: nobody) },
      failureCode { _ = try fan.hub.option(.peerAddresses, of: nobody) },
      failureCode { _ = try fan.hub.option(.primaryAddress, of: nobody) },
      failureCode { _ = try fan.hub.option(.localAddresses, of: nobody) },
    ]
    #expect(codes.allSatisfy { $0 == .invalidArgument }, "\(codes)")
  }

  @Test func streamsOfOneAssociation() throws {
    let changing: Fan.Configure = { (endpoint) throws(SocketError) in
      try endpoint.setOption(.reconfigurationSupported, to: true)
      try endpoint.setOption(.streamChanges, to: [.resetStreams, .resetAssociation, .addStreams])
      for event in [SCTPEvent.streamReset, .streamChange, .associationReset] {
        try endpoint.setOption(.event(event), of: .all, to: true)
      }
    }
    let fan = try Fan(hub: changing, left: changing, right: changing)
    func counts() throws -> [UInt16] {
      try [fan.first, fan.second].map { try fan.hub.option(.status, of: $0).outgoingStreams }
    }
    let before = try counts()
    try fan.hub.perform(.addStreams(outgoing: 3), of: fan.first)
    let grown = try fan.hub.nextNotification { notification, _ -> SCTPStreamChange? in
      if case .streamChange(let change) = notification { change } else { nil }
    }
    #expect(grown.result == .done && grown.association == fan.first)
    #expect(try counts() == [before[0] + 3, before[1]])
    try fan.hub.perform(.resetStreams(.outgoing, numbers: [4]), of: fan.first)
    let reset = try fan.hub.nextNotification { notification, _ -> SCTPStreamReset? in
      if case .streamReset(let reset) = notification { reset } else { nil }
    }
    #expect(reset.result == .done && reset.association == fan.first)
    try fan.hub.perform(.resetAssociation, of: fan.first)
    let renewed = try fan.hub.nextNotification { notification, _ -> SCTPAssociationReset? in
      if case .associationReset(let reset) = notification { reset } else { nil }
    }
    #expect(renewed.result == .done && renewed.association == fan.first)
    // The other peer heard of none of these.
    try fan.right.expectNothing()
    try fan.hub.setOption(.streamScheduler, of: .current, to: .priority)
    try fan.hub.setOption(.schedulerValue(ofStream: 1), of: fan.first, to: 7)
    #expect(try fan.hub.option(.schedulerValue(ofStream: 1), of: fan.first) == 7)
    #expect(try fan.hub.option(.schedulerValue(ofStream: 1), of: fan.second) == 0)
  }

  @Test func oneOfTwoPeersIsAskedForAnotherPrimaryAddress() throws {
    let changing: Fan.Configure = { (endpoint) throws(SocketError) in
      try endpoint.setOption(.authenticationSupported, to: true)
      try endpoint.setOption(.addressChangesSupported, to: true)
    }
    let fan = try Fan(hub: changing, left: changing, right: changing)
    let own = try fan.hub.option(.localAddresses)
    let ids = [
      try #require(try fan.left.option(.associations).first), try #require(try fan.right.option(.associations).first),
    ]
    func primaries() throws -> [IPSocketAddress] {
      [try fan.left.option(.primaryAddress, of: ids[0]), try fan.right.option(.primaryAddress, of: ids[1])]
    }
    #expect(try primaries() == [own[0], own[0]])
    try fan.hub.perform(.requestPeerPrimaryAddress(own[1]), of: fan.first)
    let deadline = Deadline.after(sctpSoon)
    while try primaries()[0] != own[1], !deadline.hasPassed { sleep(milliseconds: 1) }
    #expect(try primaries() == [own[1], own[0]])
  }
}

/// An endpoint with an association to each of two peers, which have several addresses.
private final class Fan {
  typealias Configure = (borrowing SCTPOneToManySocket) throws(SocketError) -> Void
  let hub: SCTPOneToManySocket
  let left: SCTPOneToManySocket
  let right: SCTPOneToManySocket
  /// The hub's association with the left peer.
  let first: SCTPAssociationID
  /// The hub's association with the right peer.
  let second: SCTPAssociationID

  init(
    hub configureHub: Configure = { (_) throws(SocketError) in },
    left configureLeft: Configure = { (_) throws(SocketError) in },
    right configureRight: Configure = { (_) throws(SocketError) in }
  ) throws {
    let hub = try listeningEndpoint(on: .local(1), configure: configureHub)
    try hub.perform(.addLocalAddresses([.local(7)]))
    let left = try listeningEndpoint([], on: .local(2), configure: configureLeft)
    try left.perform(.addLocalAddresses([.local(3)]))
    let right = try listeningEndpoint([], on: .local(4), configure: configureRight)
    try right.perform(.addLocalAddresses([.local(5), .local(6)]))
    first = try hub.connect(to: left.option(.localAddresses)[0])
    _ = try hub.nextChange(.up)
    second = try hub.connect(to: right.option(.localAddresses)[0])
    _ = try hub.nextChange(.up)
    self.hub = hub
    self.left = left
    self.right = right
  }

  var scopes: [SCTPAssociationID] { [first, second, .future] }
}
