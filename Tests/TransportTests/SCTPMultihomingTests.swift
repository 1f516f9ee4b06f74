import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive, .needsSCTP) struct SCTPMultihomingTests {
  private func pair(
    _ addresses: [IPSocketAddress], from sources: [IPSocketAddress] = []
  ) throws -> SocketPair<SCTPSocket> {
    let listener = try SCTPSocket.listen(on: addresses)
    let client = try SCTPSocket.connect(
      toAny: try listener.option(.localAddresses), from: sources, until: .after(sctpSoon))
    return SocketPair(client, try listener.accept(until: .after(sctpSoon)))
  }

  @Test func severalAddressesEach() throws {
    try pair([.local(1), .local(2), .local(3)], from: [.local(4), .local(5)]).split { client, server in
      let port = try server.localAddress().port
      let own = try client.localAddress().port
      let theirs = [IPSocketAddress.local(1, port: port), .local(2, port: port), .local(3, port: port)]
      let ours = [IPSocketAddress.local(4, port: own), .local(5, port: own)]
      #expect(try Set(client.option(.peerAddresses)) == Set(theirs))
      #expect(try Set(server.option(.localAddresses)) == Set(theirs))
      #expect(try Set(client.option(.localAddresses)) == Set(ours))
      #expect(try Set(server.option(.peerAddresses)) == Set(ours))
      #expect(try client.option(.associationParameters).peerAddressCount == 3)
      #expect(try client.option(.primaryAddress) == theirs[0])
      #expect(try client.remoteAddress() == theirs[0])
      try client.setOption(.primaryAddress, to: theirs[2])
      #expect(try client.remoteAddress() == theirs[2])
      #expect(try client.option(.primaryAddress) == theirs[2])
      #expect(try client.option(.status).primaryPath.address == theirs[2])
      #expect(refusal { try client.setOption(.primaryAddress, to: .local(9, port: port)) }?.code == .invalidArgument)
      try client.say("over the third")
      #expect(try server.hear(14) == "over the third")
      #expect(try client.option(.pathInfo(to: theirs[2])).congestionWindow > 0)
    }
  }

  @Test func bothVersions() throws {
    let listener = try SCTPSocket.listen(on: [.loopbackIPv6(port: 0), .loopback(port: 0)])
    let addresses = try listener.option(.localAddresses)
    let port = try listener.localAddress().port
    #expect(addresses.count == 2 && addresses.allSatisfy { $0.port == port })
    #expect(Set(addresses.map { $0.unmapped }) == [.loopbackIPv6(port: port), .loopback(port: port)])
    for address in [IPSocketAddress.loopback(port: port), .loopbackIPv6(port: port)] {
      let client = try SCTPSocket.connect(to: address, until: .after(sctpSoon))
      let server = try listener.accept(until: .after(sctpSoon))
      try server.say("hi")
      #expect(try client.hear(2) == "hi")
    }
    let client = try SCTPSocket.connect(
      toAny: [.loopback(port: port), .loopbackIPv6(port: port)], until: .after(sctpSoon))
    let server = try listener.accept(until: .after(sctpSoon))
    #expect(try client.option(.peerAddresses).count == 2)
    // As IPv4 or mapped, as the option says.
    #expect(try client.option(.peerAddresses).contains(IPSocketAddress(IPv6Address(mapped: .loopback), port: port)))
    try client.setOption(.mapIPv4, to: false)
    #expect(try client.option(.peerAddresses).contains(.loopback(port: port)))
    _ = server
  }

  @Test func dualStackAndIPv6Only() throws {
    let listener = try SCTPSocket.listen(on: .any(port: 0))
    let port = try listener.localAddress().port
    let client = try SCTPSocket.connect(to: .loopback(port: port), until: .after(sctpSoon))
    let server = try listener.accept(until: .after(sctpSoon))
    #expect(try server.remoteAddress().unmapped.ip == .v4(.loopback))
    #expect(try server.remoteAddress().isIPv6)
    _ = client
    let only = try SCTPSocket.listen(on: .any(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.v6Only, to: true)
    }
    let other = try only.localAddress().port
    #expect(
      refusal { _ = try SCTPSocket.connect(to: .loopback(port: other), until: .after(sctpSoon)) }?.code
        == .connectionRefused)
    _ = try SCTPSocket.connect(to: .loopbackIPv6(port: other), until: .after(sctpSoon))
  }

  @Test func addingAndRemoving() throws {
    let socket = try SCTPSocket.open(for: .loopback(port: 0))
    try socket.perform(.addLocalAddresses([.local(1), .local(2)]))
    let port = try socket.localAddress().port
    #expect(port != 0)
    try socket.perform(.addLocalAddresses([.local(3, port: port)]))
    #expect(try socket.option(.localAddresses).contains(socket.localAddress()))
    try socket.perform(.addLocalAddresses([.local(4)]))
    #expect(try Set(socket.option(.localAddresses)) == Set((1...4).map { .local($0, port: port) }))
    #expect(refusal { try socket.perform(.addLocalAddresses([.local(5, port: port &+ 1)])) }?.code == .invalidArgument)
    #expect(refusal { try socket.perform(.addLocalAddresses([.local(4)])) }?.code == .invalidArgument)
    #expect(refusal { try socket.perform(.addLocalAddresses([])) }?.code == .invalidArgument)
    #expect(refusal { try socket.perform(.addLocalAddresses([.local(5)]), of: .all) }?.code == .invalidArgument)
    #expect(refusal { try socket.perform(.removeLocalAddresses([.local(4)]), of: .all) }?.code == .invalidArgument)
    let strange = IPSocketAddress(IPv4Address(bits: 0xc000_0201), port: 0)
    let error = refusal { try socket.perform(.addLocalAddresses([.local(6), strange])) }
    #expect(error?.code == .addressNotAvailable && error?.operation == .bindAddresses)
    // The one before the one that failed is taken back.
    #expect(try socket.option(.localAddresses).count == 4)
    #expect(refusal { try socket.perform(.addLocalAddresses([.loopbackIPv6(port: 0)])) }?.code == .invalidArgument)
    try socket.perform(.removeLocalAddresses([.local(2), .local(3)]))
    #expect(try Set(socket.option(.localAddresses)) == [.local(1, port: port), .local(4, port: port)])
    #expect(refusal { try socket.perform(.removeLocalAddresses([.local(9)])) }?.code == .invalidArgument)
    try socket.perform(.removeLocalAddresses([.local(1)]))
    #expect(refusal { try socket.perform(.removeLocalAddresses([.local(4)])) }?.errno == EBUSY)
    // An IPv6 socket takes IPv4 addresses.
    let six = try SCTPSocket.open(for: .loopbackIPv6(port: 0))
    try six.setOption(.v6Only, to: false)
    try six.perform(.addLocalAddresses([.loopbackIPv6(port: 0), .loopback(port: 0)]))
    #expect(try six.option(.localAddresses).count == 2)
  }

  /// More addresses than the first buffer holds.
  @Test func manyAddresses() throws {
    let listener = try SCTPSocket.listen(on: (1...200).map { .local($0) })
    let addresses = try listener.option(.localAddresses)
    #expect(addresses.count == 200 && Set(addresses).count == 200)
    let client = try SCTPSocket.connect(toAny: Array(addresses.prefix(40)), until: .after(sctpSoon))
    let server = try listener.accept(until: .after(sctpSoon))
    #expect(try client.option(.peerAddresses).count == 200)
    #expect(try server.option(.localAddresses).count == 200)
  }

  /// An accepted association answers from the address that it was made for (ishidawataru/sctp's issue 84).
  @Test func answersFromTheAddressAskedFor() throws {
    let listener = try SCTPSocket.listen(on: [.local(1), .local(2)])
    let port = try listener.localAddress().port
    let second = IPSocketAddress.local(2, port: port)
    let client = try SCTPSocket.connect(to: second, until: .after(sctpSoon))
    let server = try listener.accept(until: .after(sctpSoon))
    #expect(try client.option(.primaryAddress) == second)
    try server.say("from the second")
    #expect(try client.hear(15) == "from the second")
    #expect(try client.remoteAddress() == second)
  }

  /// Address changes of a living association, with RFC 5061 at both ends.
  @Test func addressesOfALivingAssociation() throws {
    let configure: (borrowing SCTPSocket) throws -> Void = { (socket) throws(SocketError) in
      try socket.setOption(.authenticationSupported, to: true)
      try socket.setOption(.addressChangesSupported, to: true)
    }
    let listener = try SCTPSocket.listen(on: .local(1), configure: configure)
    let client = try SCTPSocket.connect(
      to: listener.localAddress(), from: .local(2), until: .after(sctpSoon), configure: configure)
    let server = try listener.accept(until: .after(sctpSoon))
    let port = try client.localAddress().port
    try client.perform(.addLocalAddresses([.local(3)]))
    let deadline = Deadline.after(sctpSoon)
    while try server.option(.peerAddresses).count != 2, !deadline.hasPassed { sleep(milliseconds: 1) }
    #expect(try Set(server.option(.peerAddresses)) == [.local(2, port: port), .local(3, port: port)])
    try client.perform(.requestPeerPrimaryAddress(.local(3, port: port)))
    while try server.option(.primaryAddress) != .local(3, port: port), !deadline.hasPassed { sleep(milliseconds: 1) }
    #expect(try server.option(.primaryAddress) == .local(3, port: port))
    #expect(
      refusal { try client.perform(.requestPeerPrimaryAddress(.local(9, port: port))) }?.code == .addressNotAvailable)
    try client.perform(.removeLocalAddresses([.local(2)]))
    while try server.option(.peerAddresses).count != 1, !deadline.hasPassed { sleep(milliseconds: 1) }
    #expect(try server.option(.peerAddresses) == [.local(3, port: port)])
    try client.say("over the new one")
    #expect(try server.hear(16) == "over the new one")
    // Without it the association keeps what it has.
    try sctpPair().split { near, far in
      let port = try near.localAddress().port
      #expect(
        refusal { try near.perform(.requestPeerPrimaryAddress(.local(1, port: port))) }?.code == .permissionDenied)
      _ = far
    }
  }

  /// The next address is asked when the first is silent. In a namespace of its own, whose route sends packets for the
  /// dead address over loopback, where nobody takes them.
  @Test func connectsByTheAddressThatAnswers() throws {
    try inNamespaceWithLoopback {
      let commands = "ip addr add 10.99.0.1/32 dev lo && ip route add 10.99.0.2/32 dev lo src 10.99.0.1"
      let peer = try #require(PeerProcess(["sh", "-c", commands]))
      try #require(peer.finish().status == 0)
      let listener = try SCTPSocket.listen(on: IPSocketAddress(IPv4Address(bits: 0x0a63_0001), port: 0))
      let alive = try listener.localAddress()
      let dead = IPSocketAddress(IPv4Address(bits: 0x0a63_0002), port: alive.port)
      let quick: (borrowing SCTPSocket) throws(SocketError) -> Void = { (socket) throws(SocketError) in
        try socket.setOption(
          .retransmissionTimeouts,
          to: SCTPRetransmissionTimeouts(initial: .milliseconds(100), minimum: .milliseconds(100)))
      }
      let client = try SCTPSocket.connect(toAny: [dead, alive], until: .after(sctpSoon), configure: quick)
      let server = try listener.accept(until: .after(sctpSoon))
      try client.say("x")
      #expect(try server.hear(1) == "x")
      #expect(try client.option(.primaryAddress) == alive)
      // The deadline, not the kernel's many attempts, ends it.
      let start = milliseconds()
      let late = refusal { _ = try SCTPSocket.connect(toAny: [dead], until: .after(.milliseconds(80))) }
      #expect(late?.code == .timedOut && late?.errno == 0)
      let later = refusal { _ = try SCTPSocket.connect(to: dead, until: .after(.milliseconds(80))) }
      #expect(later?.code == .timedOut && later?.errno == 0)
      let patience = refusal {
        _ = try SCTPSocket.connect(toAny: [dead], until: .after(sctpSoon)) { (socket) throws(SocketError) in
          try quick(socket)
          try socket.setOption(
            .initParameters, to: SCTPInitParameters(maximumAttempts: 1, maximumTimeout: .milliseconds(100)))
        }
      }
      // The kernel gave up by itself.
      #expect(patience?.code == .timedOut && patience?.errno == ETIMEDOUT, "\(String(describing: patience))")
      #expect(milliseconds() - start < 5000)
    }
  }

  /// On a host booted with ipv6.disable=1 "every address" means every IPv4 address.
  @Test func withoutIPv6EveryAddressIsEveryIPv4Address() throws {
    try withoutIPv6 {
      let listener = try SCTPSocket.listen(on: [.any(port: 0)])
      let address = try listener.localAddress()
      #expect(address == .anyIPv4(port: address.port))
      let client = try SCTPSocket.connect(to: .loopback(port: address.port), until: .after(sctpSoon))
      _ = try listener.accept(until: .after(sctpSoon))
      try client.close()
      let endpoint = try SCTPOneToManySocket.listen(on: .any(port: 0))
      let place = try endpoint.localAddress()
      #expect(place == .anyIPv4(port: place.port))
      let sender = try SCTPOneToManySocket.open()
      try sender.send([5].span, to: .loopback(port: place.port), until: .after(sctpSoon))
      let (_, bytes) = try endpoint.nextMessage()
      #expect(bytes == [5])
      // A caller that asks for an IPv6 address does not get IPv4 instead.
      let refusals = [
        refusal { _ = try SCTPSocket.listen(on: [.any(port: 0), .loopbackIPv6(port: 0)]) },
        refusal { _ = try SCTPOneToManySocket.listen(on: .loopbackIPv6(port: 0)) },
      ]
      for error in refusals { #expect(error?.code == .protocolNotSupported && error?.operation == .open) }
      #expect(refusal { _ = try SCTPSocket.listen(on: []) }?.code == .invalidArgument)
    }
  }
}

@Suite(.exclusive) struct SCTPAddressTextTests {
  @Test func parsesAndPrints() throws {
    let two = try SCTPAddressList(parsing: "10.0.0.1,10.0.1.1:38412")
    #expect(two.addresses.map { "\($0)" } == ["10.0.0.1:38412", "10.0.1.1:38412"] && two.port == 38412)
    #expect("\(two)" == "10.0.0.1,10.0.1.1:38412")
    // ishidawataru/sctp's way.
    #expect(try SCTPAddressList(parsing: "10.0.0.1/10.0.1.1:38412") == two)
    let mixed = try SCTPAddressList(parsing: "[fe80::1%lo]/127.0.0.1/[::1]:80")
    #expect(mixed.addresses[0].scopeID == 1 && mixed.addresses[2] == .loopbackIPv6(port: 80))
    #expect("\(mixed)" == "[fe80::1%lo],127.0.0.1,[::1]:80")
    #expect("\(try SCTPAddressList(parsing: "127.0.0.1:0"))" == "127.0.0.1:0")
    for text in ["\(two)", "\(mixed)", "[::1%1],[::2]:65535"] {
      let list = try SCTPAddressList(parsing: text)
      #expect(SCTPAddressList("\(list)") == list)
    }
    // A zone may have a comma: the name of an interface, or behind it, where the kernel looks at nothing.
    let zone = try SCTPAddressList(parsing: "[fe80::1%lo:,/],127.0.0.1:80")
    #expect("\(zone)" == "[fe80::1%lo],127.0.0.1:80")
    #expect(try "\(AnyEndpoint(parsing: "sctp://[fe80::1%lo:,],127.0.0.1:80"))" == "sctp://[fe80::1%lo],127.0.0.1:80")
    #expect(SCTPAddressList([.local(1, port: 4), .local(2, port: 5)]) == nil && SCTPAddressList([]) == nil)
  }

  @Test(arguments: [
    "", ":80", "127.0.0.1", "127.0.0.1,:80", ",127.0.0.1:80", "127.0.0.1,,127.0.0.2:80", "::1,127.0.0.1:80",
    "host,127.0.0.1:80", "127.0.0.1//127.0.0.2:1", "[::1%nosuch],[::1]:1",
  ])
  func refuses(_ text: String) {
    #expect(SCTPAddressList(text) == nil)
    #expect(refusal { _ = try SCTPAddressList(parsing: text) }?.code == .invalidAddress)
  }

  @Test(arguments: ["127.0.0.1:80,127.0.0.2:80", "127.0.0.1,[::1]:65536", "127.0.0.1:x"])
  func refusesThePort(_ text: String) {
    #expect(SCTPAddressList(text) == nil)
    #expect(refusal { _ = try SCTPAddressList(parsing: text) }?.code == .invalidPort)
  }
}
