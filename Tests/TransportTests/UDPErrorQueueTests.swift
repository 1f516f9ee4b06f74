import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct UDPErrorQueueTests {
  /// The oldest entry, waited for.
  private func entry(
    _ socket: borrowing UDPSocket, _ payload: inout [UInt8]
  ) throws -> QueuedError<IPSocketAddress>? {
    for _ in 0..<200 {
      if let found = try socket.nextQueuedError(into: payload.mutableSpan) { return found }
      sleep(milliseconds: 5)
    }
    return nil
  }

  @Test(arguments: UDPWay.allCases, [false, true])
  func aClosedPortComesBackAsICMP(_ way: UDPWay, _ connected: Bool) throws {
    let target = way.target(try UDPSocket.bind(to: way.target(0)).port())
    let isMapped = way == .dualStackFromV4
    // A dual-stack socket gives IPv4 peers their mapped form.
    let address =
      if isMapped, case .v4(let four) = target.ip {
        IPSocketAddress(IPv6Address(mapped: four), port: target.port)
      } else { target }
    let socket = try UDPSocket.bind(to: way.any)
    try socket.setOption(.receiveErrors, to: true)
    #expect(try socket.option(.receiveErrors))
    #expect(try socket.nextQueuedError()?.error == nil)
    if connected {
      try socket.connect(to: address)
      #expect(try socket.send(pattern(100).span) == 100)
    } else {
      #expect(try socket.send(pattern(100).span, to: address) == 100)
    }
    var payload = [UInt8](repeating: 0, count: 40)
    let found = try #require(try entry(socket, &payload))
    #expect(found.error.origin == (way.isIPv4 ? .icmp : .icmpv6))
    // Destination unreachable, port unreachable: RFC 792, RFC 4443.
    #expect(found.error.type == (way.isIPv4 ? 3 : 1) && found.error.code == (way.isIPv4 ? 3 : 4))
    #expect(found.error.errno == ECONNREFUSED && found.error.classification == .connectionRefused)
    #expect(found.error.offender?.unmapped.ip == way.target(0).ip)
    #expect(found.destination == address)
    #expect(found.byteCount == 40 && found.isTruncated && payload == pattern(40))
    // With the last entry the pending error went too.
    #expect(try socket.nextQueuedError()?.error == nil)
    #expect(try isQuiet(socket))
  }

  @Test(arguments: UDPWay.allCases, [false, true])
  func anEntryNotTakenFailsTheNextCallOnce(_ way: UDPWay, _ connected: Bool) throws {
    let target = way.target(try UDPSocket.bind(to: way.target(0)).port())
    let socket = try UDPSocket.bind(to: way.target(0))
    try socket.setOption(.receiveErrors, to: true)
    if connected { try socket.connect(to: target) }
    #expect(try socket.send([1].span, to: target) == 1)
    do throws(SocketError) {
      var info = MessageInfo()
      _ = try socket.receive(into: MutableSpan(), &info, until: .after(soon))
      Issue.record("received something")
    } catch {
      #expect(error.code == .connectionRefused && error.operation == .receive)
    }
    #expect(try isQuiet(socket))
    #expect(try socket.nextQueuedError()?.destination == target)
    #expect(try socket.nextQueuedError()?.error == nil)
  }

  @Test func withoutTheOptionThereIsNone() throws {
    let target = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    #expect(try socket.send([1].span, to: target) == 1)
    #expect(try isQuiet(socket))
    #expect(try socket.nextQueuedError()?.error == nil)
  }

  @Test func theQueueKeepsItsOrder() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    try socket.setOption(.receiveErrors, to: true)
    var targets: [IPSocketAddress] = []
    for byte in 1...3 as ClosedRange<UInt8> {
      let target = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
      targets.append(target)
      for _ in 0..<2 {
        // The first may meet the error of the one before.
        if (try? socket.send([byte].span, to: target)) != nil { break }
      }
    }
    var payload: [UInt8] = [0, 0]
    for byte in 1...3 as ClosedRange<UInt8> {
      let found = try #require(try entry(socket, &payload))
      #expect(found.byteCount == 1 && payload[0] == byte && found.destination == targets[Int(byte) - 1])
    }
  }

  @Test func aPathThatIsTooNarrowIsALocalError() throws {
    for way in [UDPWay.v4, .v6] {
      let made = try socketsInNamespace(mtu: 1500) {
        let server = try UDPSocket.bind(to: way.any)
        let client = try UDPSocket.connect(to: server.localAddress())
        return [server.released(), client.released()]
      }
      guard let made else { return }
      let server = adopt(made[0])
      let client = adopt(made[1])
      #expect(try client.option(.pathMTU) == 1500)
      // The kernel fragments by itself as long as it may.
      #expect(try client.send(pattern(4000).span) == 4000)
      let whole = try server.next(room: 5000)
      #expect(whole.bytes == pattern(4000))
      try client.setOption(.receiveErrors, to: true)
      try client.setOption(.pathMTUDiscovery, to: .always)
      #expect(try client.option(.pathMTUDiscovery) == .always)
      let room = way == .v4 ? 1472 : 1452
      #expect(try client.send(pattern(room).span) == room)
      do throws(SocketError) {
        _ = try client.send(pattern(room + 1).span)
        Issue.record("sent it")
      } catch {
        #expect(error.code == .messageTooLarge)
      }
      var payload: [UInt8] = []
      let found = try #require(try entry(client, &payload))
      #expect(found.error.origin == .local && found.error.errno == EMSGSIZE && found.error.info == 1500)
      try client.setOption(.pathMTUDiscovery, to: .probe)
      #expect(throws: SocketError(.failure(errno: EMSGSIZE), .send)) { _ = try client.send(pattern(room + 1).span) }
    }
  }

  @Test func onlyConnectedSocketsKnowAPath() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    do throws(SocketError) {
      _ = try socket.option(.pathMTU)
      Issue.record("knows one")
    } catch {
      #expect(error.code == .notConnected && error.operation == .getOption)
    }
    try socket.connect(to: .loopback(port: 9))
    #expect(try socket.option(.pathMTU) >= 1500)
    for mode in [PathMTUDiscovery.never, .whenKnown, .always, .probe, .interface, .interfaceFragmenting] {
      try socket.setOption(.pathMTUDiscovery, to: mode)
      #expect(try socket.option(.pathMTUDiscovery) == mode)
    }
  }
}
