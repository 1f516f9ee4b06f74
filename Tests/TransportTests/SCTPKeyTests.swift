import Glibc
import SocketKit
import TestSupport
import Testing

/// Chunks signed with shared secrets (RFC 4895), seen by what arrives and by what is on the wire.
@Suite(.exclusive, .needsSCTP) struct SCTPKeyTests {
  /// Data must be signed, with key 1; lost packets are repeated soon.
  private static func signing(
    _ secret: String, _ algorithms: [SCTPAuthenticationAlgorithm] = []
  ) -> @Sendable (borrowing SCTPSocket) throws(SocketError) -> Void {
    { (socket) throws(SocketError) in
      try socket.setOption(.authenticationSupported, to: true)
      try socket.perform(.requireAuthentication(of: .data))
      try socket.perform(.installKey(1, secret: Array(secret.utf8)))
      try socket.setOption(.activeKey, to: 1)
      if !algorithms.isEmpty { try socket.setOption(.authenticationAlgorithms, to: algorithms) }
      let quick = Duration.milliseconds(100)
      try socket.setOption(
        .retransmissionTimeouts, to: SCTPRetransmissionTimeouts(initial: quick, minimum: quick, maximum: quick))
    }
  }

  @Test func dataIsSignedWithTheActiveKey() throws {
    let wire = try SCTPWire()
    try sctpPair(server: Self.signing("secret"), client: Self.signing("secret")).split { client, server in
      #expect(try client.option(.peerAuthenticatedChunks).contains(.data))
      #expect(try server.option(.authenticatedChunks).contains(.data))
      #expect(try client.option(.activeKey) == 1 && server.option(.activeKey) == 1)
      try client.say("signed")
      #expect(try server.hear(6) == "signed")
      let signature = try wire.nextSignature(from: client.localAddress().port)
      #expect(signature.key == 1 && signature.isBeforeData)
      // An association under way takes another key.
      try client.perform(.installKey(2, secret: Array("another".utf8)))
      try server.perform(.installKey(2, secret: Array("another".utf8)))
      try client.setOption(.activeKey, to: 2)
      #expect(try client.option(.activeKey) == 2 && server.option(.activeKey) == 1)
      try client.say("again")
      #expect(try server.hear(5) == "again")
      #expect(try wire.nextSignature(from: client.localAddress().port).key == 2)
    }
  }

  @Test func anotherSecretIsRefusedUntilItIsTheSame() throws {
    try sctpPair(server: Self.signing("right"), client: Self.signing("wrong")).split { client, server in
      try client.say("x")
      var byte: [UInt8] = [0]
      #expect(
        refusal { _ = try server.read(into: byte.mutableSpan, until: .after(.milliseconds(350))) }?.code == .timedOut)
      // With the same secret under the same number the server accepts the retransmission.
      try server.perform(.installKey(1, secret: Array("wrong".utf8)))
      #expect(try server.hear(1) == "x")
    }
    // Without a secret, both ends sign with the empty key 0, which exists from the beginning.
    try sctpPair(
      server: { (socket) throws(SocketError) in
        try socket.setOption(.authenticationSupported, to: true)
        try socket.perform(.requireAuthentication(of: .data))
      },
      client: { (socket) throws(SocketError) in try socket.setOption(.authenticationSupported, to: true) }
    ).split { client, server in
      #expect(try client.option(.activeKey) == 0)
      try client.say("x")
      #expect(try server.hear(1) == "x")
      try client.perform(.installKey(0, secret: []))
      try client.say("y")
      #expect(try server.hear(1) == "y")
    }
  }

  @Test func aMessageNamesItsKey() throws {
    let wire = try SCTPWire()
    try sctpPair(server: Self.signing("secret"), client: Self.signing("secret")).split { client, server in
      var info = SCTPSendInfo()
      info.key = 5
      #expect(failureCode { try client.sendNow([1], info) } == .invalidArgument)
      try client.perform(.installKey(5, secret: Array("five".utf8)))
      try server.perform(.installKey(5, secret: Array("five".utf8)))
      try server.setOption(.event(.authentication), of: .all, to: true)
      try client.setOption(.event(.authentication), of: .all, to: true)
      try client.sendNow([1], info)
      var events: [SCTPAuthentication] = []
      var bytes: [UInt8] = []
      while bytes.isEmpty {
        let (arrival, buffer) = try server.next()
        if case .notification(.authentication(let event)) = arrival { events.append(event) }
        if case .message(let message) = arrival { bytes = Array(buffer.prefix(message.count)) }
      }
      #expect(bytes == [1] && events.map(\.event) == [.newKey] && events.first?.key == 5)
      #expect(try wire.nextSignature(from: client.localAddress().port).key == 5)
      // Others still go with the active one.
      info.key = nil
      try client.sendNow([2], info)
      #expect(try server.nextMessage().bytes == [2])
      #expect(try wire.nextSignature(from: client.localAddress().port).key == 1)
      // The key is deactivated, becomes free, and is deleted.
      try client.perform(.deactivateKey(5))
      let free = try client.nextNotification { notification, _ -> SCTPAuthentication? in
        if case .authentication(let event) = notification { event } else { nil }
      }
      #expect(free.event == .keyIsFree && free.key == 5)
      info.key = 5
      #expect(failureCode { try client.sendNow([3], info) } == .invalidArgument)
      #expect(failureCode { try client.setOption(.activeKey, to: 5) } == .invalidArgument)
      try client.perform(.deleteKey(5))
      #expect(failureCode { try client.perform(.deleteKey(5)) } == .invalidArgument)
      #expect(failureCode { try client.perform(.deactivateKey(5)) } == .invalidArgument)
      #expect(failureCode { try client.perform(.deleteKey(1)) } == .invalidArgument)
      #expect(failureCode { try client.perform(.deactivateKey(1)) } == .invalidArgument)
    }
  }

  /// What is signed with a key that the receiver has deleted does not arrive.
  @Test func aDeletedKeyVerifiesNothing() throws {
    try sctpPair(server: Self.signing("secret"), client: Self.signing("secret")).split { client, server in
      for end in [0, 1] {
        if end == 0 {
          try client.perform(.installKey(2, secret: Array("two".utf8)))
          try client.setOption(.activeKey, to: 2)
        } else {
          try server.perform(.installKey(2, secret: Array("two".utf8)))
        }
      }
      try client.say("a")
      #expect(try server.hear(1) == "a")
      try server.perform(.deleteKey(2))
      try client.say("b")
      var byte: [UInt8] = [0]
      #expect(
        refusal { _ = try server.read(into: byte.mutableSpan, until: .after(.milliseconds(250))) }?.code == .timedOut)
    }
  }

  @Test func algorithmsAreChosenByTheReceiver() throws {
    for (algorithms, number) in [([.sha1], 1), ([.sha256, .sha1], 3)] as [([SCTPAuthenticationAlgorithm], UInt16)] {
      let wire = try SCTPWire()
      try sctpPair(server: Self.signing("s", algorithms), client: Self.signing("s")).split { client, server in
        try client.say("x")
        #expect(try server.hear(1) == "x")
        #expect(try wire.nextSignature(from: client.localAddress().port).algorithm == number)
      }
    }
    let socket = try SCTPOneToManySocket.open()
    try socket.setOption(.authenticationSupported, to: true)
    try socket.setOption(.authenticationAlgorithms, to: [.sha256, .sha1])
    #expect(try socket.option(.authenticationAlgorithms) == [.sha256, .sha1])
    typealias List = [SCTPAuthenticationAlgorithm]
    let wrong: [(List, SocketError.Code)] = [
      ([], .invalidArgument), ([.sha256], .invalidArgument), (List(repeating: .sha1, count: 5), .invalidArgument),
      ([.sha1, SCTPAuthenticationAlgorithm(rawValue: 99)], .notSupported),
    ]
    for (list, code) in wrong {
      #expect(failureCode { try socket.setOption(.authenticationAlgorithms, to: list) } == code, "\(list)")
    }
    #expect(try socket.option(.authenticationAlgorithms) == [.sha256, .sha1])
  }

  @Test func whereAuthenticationIsOffItSaysSo() throws {
    let off: (borrowing SCTPOneToManySocket) throws(SocketError) -> Void = { (socket) throws(SocketError) in
      try socket.setOption(.authenticationSupported, to: false)
    }
    let socket = try SCTPOneToManySocket.open()
    try off(socket)
    let errors = [
      refusal { try socket.perform(.installKey(1, secret: Array("x".utf8))) },
      refusal { try socket.setOption(.activeKey, to: 0) },
      refusal { _ = try socket.option(.activeKey) }, refusal { try socket.perform(.deactivateKey(1)) },
      refusal { try socket.perform(.deleteKey(1)) }, refusal { try socket.perform(.requireAuthentication(of: .data)) },
      refusal { _ = try socket.option(.authenticatedChunks) },
      refusal { _ = try socket.option(.authenticationAlgorithms) },
      refusal { try socket.setOption(.authenticationAlgorithms, to: [.sha1]) },
    ]
    for (index, error) in errors.enumerated() {
      #expect(error?.code == .notSupported && error?.errno == EACCES, "\(index): \(error as Any)")
    }
    try sctpPair().split { client, server in
      let peer = refusal { _ = try client.option(.peerAuthenticatedChunks) }
      #expect(peer?.code == .notSupported && peer?.errno == EACCES)
      _ = server.descriptor
    }
    try socket.setOption(.authenticationSupported, to: true)
    for chunk in [SCTPChunkType.initiation, .initiationAcknowledgement, .shutdownComplete, .authentication] {
      #expect(failureCode { try socket.perform(.requireAuthentication(of: chunk)) } == .invalidArgument, "\(chunk)")
    }
    let before = try socket.option(.authenticatedChunks)
    try socket.perform(.requireAuthentication(of: .heartbeat))
    try socket.perform(.requireAuthentication(of: .heartbeat))
    #expect(try socket.option(.authenticatedChunks) == before + [.heartbeat])
    #expect(failureCode { try socket.perform(.requireAuthentication(of: .data), of: .all) } == .invalidArgument)
    let tooLong = [UInt8](repeating: 1, count: 65536)
    #expect(failureCode { try socket.perform(.installKey(1, secret: tooLong)) } == .invalidArgument)
    try socket.perform(.installKey(1, secret: Array(tooLong[..<65535])))
    #expect(failureCode { _ = try socket.option(.peerAuthenticatedChunks) } == .invalidArgument)
    let nobody = SCTPAssociationID(rawValue: 4000)
    #expect(failureCode { try socket.perform(.installKey(1, secret: Array("x".utf8)), of: nobody) } == .invalidArgument)
    #expect(failureCode { try socket.setOption(.activeKey, of: nobody, to: 1) } == .invalidArgument)
    #expect(failureCode { try socket.setOption(.activeKey, to: 77) } == .invalidArgument)
  }

  /// A one-to-many socket has a default key, keys of one association, and keys of all associations.
  @Test func keysBelongToAssociations() throws {
    let pair = try EndpointPair { endpoint throws(SocketError) in
      try endpoint.setOption(.authenticationSupported, to: true)
      try endpoint.perform(.requireAuthentication(of: .data))
      try endpoint.perform(.installKey(1, secret: Array("default".utf8)))
      try endpoint.setOption(.activeKey, to: 1)
    }
    let id = pair.nearID
    #expect(try pair.near.option(.activeKey, of: id) == 1)
    #expect(try pair.near.option(.peerAuthenticatedChunks, of: id).contains(.data))
    try pair.near.perform(.installKey(2, secret: Array("own".utf8)), of: id)
    #expect(failureCode { try pair.near.setOption(.activeKey, to: 2) } == .invalidArgument)
    try pair.near.setOption(.activeKey, of: id, to: 2)
    #expect(try pair.near.option(.activeKey, of: id) == 2 && pair.near.option(.activeKey) == 1)
    try pair.far.perform(.installKey(2, secret: Array("own".utf8)), of: .current)
    try pair.near.sendNow([1], SCTPSendInfo(association: id))
    #expect(try pair.far.nextMessage().bytes == [1])
    try pair.near.perform(.installKey(3, secret: Array("three".utf8)), of: .all)
    try pair.near.setOption(.activeKey, of: .all, to: 3)
    #expect(try pair.near.option(.activeKey, of: id) == 3 && pair.near.option(.activeKey) == 3)
  }
}

/// What goes over loopback, read with a raw socket.
private struct SCTPWire: ~Copyable {
  private let socket: RawIPSocket

  init() throws { socket = try RawIPSocket.bind(IPProtocol(rawValue: 132), to: .loopback(port: 0)) }

  struct Signature {
    var key: UInt16
    var algorithm: UInt16
    /// The chunk behind it is data.
    var isBeforeData: Bool
  }

  /// The signature of the next packet from a port that begins with an AUTH chunk.
  func nextSignature(from port: UInt16) throws -> Signature {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      var info = MessageInfo()
      let count = try socket.receive(into: buffer.mutableSpan, &info, until: .after(sctpPatience))
      let packet = Array(buffer.prefix(count).dropFirst(Int(buffer[0] & 15) * 4))
      func half(_ offset: Int) -> UInt16 { UInt16(packet[offset]) << 8 | UInt16(packet[offset + 1]) }
      // Ports, tag and checksum; then type, flags, length, key, algorithm.
      guard packet.count >= 20, half(0) == port, packet[12] == 15 else { continue }
      let next = 12 + (Int(half(14)) + 3) & ~3
      return Signature(
        key: half(16), algorithm: half(18), isBeforeData: next < packet.count && packet[next] == 0)
    }
  }
}
