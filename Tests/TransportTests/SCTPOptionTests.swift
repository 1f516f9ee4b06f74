import SocketKit
import TestSupport
import Testing

@Suite(.exclusive, .needsSCTP) struct SCTPOptionTests {
  private func fresh() throws -> SCTPSocket { try SCTPSocket.open(for: .loopback(port: 0)) }

  @Test func flags() throws {
    let socket = try fresh()
    let expected: [(SocketOption<SCTPSocketOptions, Bool>, Bool)] = [
      (.disableFragments, false), (.mapIPv4, true), (.noDelay, false), (.sharePort, false),
      (.fragmentInterleave, false),
    ]
    for (option, initial) in expected {
      #expect(try socket.option(option) == initial)
      try socket.setOption(option, to: !initial)
      #expect(try socket.option(option) == !initial)
    }
    // Only where any address is bound.
    #expect(refusal { try socket.setOption(.automaticAddresses, to: true) }?.code == .invalidArgument)
    let wide = try SCTPSocket.listen(on: .anyIPv4(port: 0))
    let initial = try wide.option(.automaticAddresses)
    #expect(!initial)
    try wide.setOption(.automaticAddresses, to: true)
    let changed = try wide.option(.automaticAddresses)
    #expect(changed)
    // Inherited from the listener.
    let listener = try SCTPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.noDelay, to: true)
    }
    let client = try SCTPSocket.connect(to: listener.localAddress(), until: .after(sctpSoon))
    let server = try listener.accept(until: .after(sctpSoon))
    let inherited = try server.option(.noDelay)
    let own = try client.option(.noDelay)
    #expect(inherited && !own)
  }

  @Test func numbers() throws {
    let socket = try fresh()
    #expect(try socket.option(.partialDeliveryPoint) == 0)
    try socket.setOption(.partialDeliveryPoint, to: 4096)
    #expect(try socket.option(.partialDeliveryPoint) == 4096)
    let half = try socket.option(.receiveBuffer) / 2
    try socket.setOption(.partialDeliveryPoint, to: half)
    #expect(refusal { try socket.setOption(.partialDeliveryPoint, to: half + 1) }?.code == .invalidArgument)
    #expect(try socket.option(.adaptationLayer) == 0)
    try socket.setOption(.adaptationLayer, to: 0xdead_beef)
    #expect(try socket.option(.adaptationLayer) == 0xdead_beef)
  }

  @Test func autocloseIsForOneToMany() throws {
    let socket = try fresh()
    #expect(refusal { _ = try socket.option(.autoclose) }?.code == .notSupported)
    #expect(refusal { try socket.setOption(.autoclose, to: .seconds(5)) }?.code == .notSupported)
    let many = try manySocket()
    #expect(try many.option(.autoclose) == nil)
    try many.setOption(.autoclose, to: .milliseconds(1500))
    #expect(try many.option(.autoclose) == .seconds(2))
    try many.setOption(.autoclose, to: nil)
    #expect(try many.option(.autoclose) == nil)
    #expect(refusal { try many.setOption(.autoclose, to: .zero) }?.code == .invalidArgument)
    #expect(refusal { try many.setOption(.autoclose, to: .seconds(-1)) }?.code == .invalidArgument)
    #expect(try many.option(.associationCount) == 0)
    #expect(try many.option(.associations) == [])
    #expect(refusal { _ = try socket.option(.associationCount) }?.code == .notSupported)
    #expect(refusal { _ = try socket.option(.associations) }?.code == .notSupported)
  }

  @Test func initParameters() throws {
    let socket = try fresh()
    let initial = try socket.option(.initParameters)
    #expect(
      initial
        == SCTPInitParameters(
          outgoingStreams: 10, maximumIncomingStreams: 65535, maximumAttempts: 8, maximumTimeout: .seconds(60)))
    try socket.setOption(
      .initParameters, to: SCTPInitParameters(outgoingStreams: 17, maximumTimeout: .microseconds(1200)))
    var changed = initial
    changed.outgoingStreams = 17
    changed.maximumTimeout = .milliseconds(2)
    #expect(try socket.option(.initParameters) == changed)
    let long = SCTPInitParameters(maximumTimeout: .milliseconds(65536))
    #expect(refusal { try socket.setOption(.initParameters, to: long) }?.code == .invalidArgument)
  }

  @Test func timers() throws {
    let socket = try fresh()
    #expect(
      try socket.option(.retransmissionTimeouts)
        == SCTPRetransmissionTimeouts(initial: .seconds(3), minimum: .seconds(1), maximum: .seconds(60)))
    let wanted = SCTPRetransmissionTimeouts(initial: .microseconds(150_001), minimum: .milliseconds(50))
    try socket.setOption(.retransmissionTimeouts, to: wanted)
    let seen = try socket.option(.retransmissionTimeouts)
    #expect(
      seen
        == SCTPRetransmissionTimeouts(
          initial: .milliseconds(151), minimum: .milliseconds(50), maximum: .seconds(60)))
    let reversed = SCTPRetransmissionTimeouts(minimum: .seconds(70))
    #expect(refusal { try socket.setOption(.retransmissionTimeouts, to: reversed) }?.code == .invalidArgument)

    let parameters = try socket.option(.associationParameters)
    #expect(parameters.maximumRetransmissions == 10 && parameters.cookieLife == .seconds(60))
    #expect(parameters.peerAddressCount == 0 && parameters.peerWindow == 0)
    try socket.setOption(.associationParameters, to: SCTPAssociationParameters(maximumRetransmissions: 4))
    #expect(try socket.option(.associationParameters).maximumRetransmissions == 4)

    #expect(
      try socket.option(.delayedAcknowledgement)
        == SCTPDelayedAcknowledgement(delay: .milliseconds(200), packets: 2))
    try socket.setOption(.delayedAcknowledgement, to: SCTPDelayedAcknowledgement(delay: .milliseconds(500), packets: 5))
    #expect(
      try socket.option(.delayedAcknowledgement)
        == SCTPDelayedAcknowledgement(delay: .milliseconds(500), packets: 5))
    let late = SCTPDelayedAcknowledgement(delay: .milliseconds(501))
    #expect(refusal { try socket.setOption(.delayedAcknowledgement, to: late) }?.code == .invalidArgument)
    try socket.setOption(.delayedAcknowledgement, to: SCTPDelayedAcknowledgement(packets: 1))
    #expect(try socket.option(.delayedAcknowledgement) == SCTPDelayedAcknowledgement(delay: .zero, packets: 1))
  }

  @Test func associationNumbers() throws {
    let socket = try fresh()
    #expect(try socket.option(.maximumSegment) == 0)
    try socket.setOption(.maximumSegment, to: 1000)
    #expect(try socket.option(.maximumSegment) == 1000)
    #expect(refusal { try socket.setOption(.maximumSegment, to: 3) }?.code == .invalidArgument)
    #expect(refusal { try socket.setOption(.maximumSegment, to: 1 << 20) }?.code == .invalidArgument)
    #expect(try socket.option(.maximumBurst) == 4)
    try socket.setOption(.maximumBurst, to: 0)
    #expect(try socket.option(.maximumBurst) == 0)
    try socket.setOption(.context, to: 77)
    #expect(try socket.option(.context) == 77)
    #expect(try socket.option(.streamChanges) == [])
    try socket.setOption(.streamChanges, to: [.resetStreams, .addStreams])
    #expect(try socket.option(.streamChanges) == [.resetStreams, .addStreams])
    #expect(
      refusal { try socket.setOption(.streamChanges, to: SCTPStreamChanges(rawValue: 8)) }?.code == .invalidArgument)
    #expect(try socket.option(.streamScheduler) == .firstComeFirstServed)
    for scheduler in [SCTPStreamScheduler.roundRobin, .priority] {
      try socket.setOption(.streamScheduler, to: scheduler)
      #expect(try socket.option(.streamScheduler) == scheduler)
    }
    #expect(
      refusal { try socket.setOption(.streamScheduler, to: SCTPStreamScheduler(rawValue: 99)) }?.code
        == .invalidArgument)
    #expect(refusal { try socket.setOption(.context, of: SCTPAssociationID(rawValue: 12345), to: 1) } == nil)
    let many = try manySocket()
    #expect(
      refusal { try many.setOption(.context, of: SCTPAssociationID(rawValue: 12345), to: 1) }?.code
        == .invalidArgument)
    for association in [SCTPAssociationID.future, .current, .all] {
      try many.setOption(.context, of: association, to: 5)
    }
    #expect(try many.option(.context) == 5)
  }

  @Test func whatIsSupported() throws {
    let socket = try fresh()
    let expected: [(SCTPAssociationOption<Bool>, Bool)] = [
      (.addressChangesSupported, false), (.authenticationSupported, false), (.ecnSupported, true),
      (.interleavingSupported, false), (.partialReliabilitySupported, true), (.reconfigurationSupported, false),
      (.exposesPotentiallyFailed, false),
    ]
    for (option, initial) in expected { #expect(try socket.option(option) == initial) }
    for option in [
      SCTPAssociationOption<Bool>.authenticationSupported, .addressChangesSupported, .reconfigurationSupported,
      .exposesPotentiallyFailed,
    ] {
      try socket.setOption(option, to: true)
      #expect(try socket.option(option))
    }
    for option in [SCTPAssociationOption<Bool>.ecnSupported, .partialReliabilitySupported, .exposesPotentiallyFailed] {
      try socket.setOption(option, to: false)
      #expect(try !socket.option(option))
    }
    // It needs net.sctp.intl_enable.
    #expect(refusal { try socket.setOption(.interleavingSupported, to: true) }?.code == .permissionDenied)
  }

  @Test func pathParameters() throws {
    try sctpPair().split { client, server in
      let peer = try client.remoteAddress()
      let initial = try client.option(.path(to: peer).parameters)
      #expect(initial.heartbeat == .on(every: .seconds(30)) && initial.maximumRetransmissions == 5)
      #expect(initial.pathMTU == .discovered && initial.currentMTU > 1000)
      #expect(initial.delayedAcknowledgements == .on(.milliseconds(200)))
      var wanted = SCTPPathParameters()
      wanted.heartbeat = .on(every: .microseconds(1_199_500))
      wanted.maximumRetransmissions = 7
      wanted.pathMTU = .fixed(1400)
      wanted.delayedAcknowledgements = .on(.milliseconds(100))
      wanted.trafficClass = 0xb8
      try client.setOption(.path(to: peer).parameters, to: wanted)
      let seen = try client.option(.path(to: peer).parameters)
      #expect(seen.heartbeat == .on(every: .milliseconds(1200)) && seen.maximumRetransmissions == 7)
      #expect(seen.pathMTU == .fixed(1400) && seen.currentMTU == 1400)
      #expect(seen.delayedAcknowledgements == .on(.milliseconds(100)) && seen.trafficClass == 0xb8)
      // What is nil stays.
      try client.setOption(.path(to: peer).parameters, to: SCTPPathParameters())
      #expect(try client.option(.path(to: peer).parameters) == seen)
      var off = SCTPPathParameters()
      off.heartbeat = .off
      off.delayedAcknowledgements = .off
      try client.setOption(.path(to: peer).parameters, to: off)
      #expect(try client.option(.path(to: peer).parameters).heartbeat == .off)
      #expect(try client.option(.path(to: peer).parameters).delayedAcknowledgements == .off)
      var zero = SCTPPathParameters()
      zero.heartbeat = .on(every: .zero)
      try client.setOption(.path(to: peer).parameters, to: zero)
      #expect(try client.option(.path(to: peer).parameters).heartbeat == .on(every: .zero))
      try client.perform(.sendHeartbeat(to: peer))
      let stranger = IPSocketAddress.local(9, port: peer.port)
      #expect(refusal { _ = try client.option(.path(to: stranger).parameters) }?.code == .invalidArgument)
      #expect(refusal { try client.perform(.sendHeartbeat(to: stranger)) }?.code == .invalidArgument)
      _ = server
    }
  }

  @Test func badPathParameters() throws {
    let socket = try fresh()
    var bad = [SCTPPathParameters](repeating: SCTPPathParameters(), count: 6)
    bad[0].pathMTU = .fixed(100)
    bad[1].pathMTU = .fixed(0)
    bad[2].delayedAcknowledgements = .on(.milliseconds(501))
    bad[3].maximumRetransmissions = 0
    bad[4].flowLabel = 1 << 20
    bad[5].heartbeat = .on(every: .milliseconds(-1))
    for parameters in bad {
      #expect(refusal { try socket.setOption(.paths.parameters, to: parameters) }?.code == .invalidArgument)
    }
    let six = try SCTPSocket.open(for: .loopbackIPv6(port: 0))
    var label = SCTPPathParameters()
    label.flowLabel = 0x12345
    try six.setOption(.paths.parameters, to: label)
    #expect(try six.option(.paths.parameters).flowLabel == 0x12345)
  }

  @Test func thresholdsProbesAndEncapsulation() throws {
    try sctpPair().split { client, server in
      let peer = try client.remoteAddress()
      let thresholds = try client.option(.path(to: peer).thresholds)
      #expect(thresholds == SCTPPathThresholds(failed: 5, potentiallyFailed: 0, primaryChange: 65535))
      try client.setOption(
        .path(to: peer).thresholds, to: SCTPPathThresholds(failed: 3, potentiallyFailed: 1, primaryChange: 2))
      #expect(
        try client.option(.path(to: peer).thresholds)
          == SCTPPathThresholds(failed: 3, potentiallyFailed: 1, primaryChange: 2))
      let reversed = SCTPPathThresholds(potentiallyFailed: 5, primaryChange: 2)
      #expect(refusal { try client.setOption(.path(to: peer).thresholds, to: reversed) }?.code == .invalidArgument)
      let widest = SCTPPathThresholds(failed: .max, potentiallyFailed: .max)
      try client.setOption(.path(to: peer).thresholds, to: widest)
      #expect(try client.option(.path(to: peer).thresholds) == widest)
      let stranger = IPSocketAddress.local(9, port: peer.port)
      #expect(refusal { try client.setOption(.path(to: stranger).thresholds, to: widest) }?.code == .noSuchPath)
      #expect(refusal { _ = try client.option(.path(to: stranger).thresholds) }?.code == .noSuchPath)
      #expect(try client.option(.path(to: peer).mtuProbeInterval) == nil)
      try client.setOption(.path(to: peer).mtuProbeInterval, to: .seconds(6))
      #expect(try client.option(.path(to: peer).mtuProbeInterval) == .seconds(6))
      #expect(
        refusal { try client.setOption(.path(to: peer).mtuProbeInterval, to: .seconds(4)) }?.code == .invalidArgument)
      #expect(refusal { try client.setOption(.path(to: peer).mtuProbeInterval, to: .zero) }?.code == .invalidArgument)
      try client.setOption(.path(to: peer).mtuProbeInterval, to: nil)
      #expect(try client.option(.path(to: peer).mtuProbeInterval) == nil)
      #expect(try client.option(.path(to: peer).udpEncapsulationPort) == 0)
      try client.setOption(.path(to: peer).udpEncapsulationPort, to: 9899)
      #expect(try client.option(.path(to: peer).udpEncapsulationPort) == 9899)
      // Back, or the end does not reach the peer.
      try client.setOption(.path(to: peer).udpEncapsulationPort, to: 0)
      _ = server
    }
  }

  /// A one-to-many socket, for the options that only it has.
  private func manySocket() throws -> ManySocket {
    ManySocket(owned: try RawDescriptor.open(SocketKind(.ipv4, .sequencedPacket, protocolNumber: 132)))
  }
  private struct ManySocket: ~Copyable, OptionTarget {
    typealias Options = SCTPSocketOptions
    let owned: Descriptor
    var descriptor: RawDescriptor { owned.raw }
  }
}
