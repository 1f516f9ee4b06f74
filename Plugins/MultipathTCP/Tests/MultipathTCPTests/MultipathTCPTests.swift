import MultipathTCP
import SocketKitCore
import SocketKitIP
import SocketKitTCP
import Testing

@Suite(.serialized) struct MultipathTCPTests {
  /// Sends in both directions, and ends one direction.
  func exchange<A: StreamSocket & ~Copyable, B: StreamSocket & ~Copyable>(
    _ a: borrowing A, _ b: borrowing B
  ) throws(SocketError) {
    let limit = Deadline.after(.seconds(5))
    var buffer = [UInt8](repeating: 0, count: 3)
    try a.writeAll([1, 2, 3].span, until: limit)
    try b.readExactly(into: buffer.mutableSpan, until: limit)
    #expect(buffer == [1, 2, 3])
    try b.writeAll([4, 5, 6].span, until: limit)
    try a.readExactly(into: buffer.mutableSpan, until: limit)
    #expect(buffer == [4, 5, 6])
    try a.shutdown(.write)
    #expect(try b.read(into: buffer.mutableSpan, until: limit) == .endOfStream)
  }

  /// An endpoint can name this transport in the same way as SocketKit's own transports.
  @Test func connectsByText() throws {
    typealias Mine = Transports<MultipathTCPSocket, Transports<TCPSocket, NoTransports>>
    let listener = try MultipathTCPSocket.listen(on: .loopback(port: 0))
    let text = MultipathTCPSocket.endpointFormat.text(of: try listener.localAddress())
    let address = try Endpoint<Mine>(parsing: text)
    #expect(address.description == text && address.scheme == "mptcp")
    var greeting = Greeting()
    try address.visit(with: &greeting)
    let server = try listener.accept(until: .after(.seconds(5)))
    var buffer = [UInt8](repeating: 0, count: 5)
    try server.readExactly(into: buffer.mutableSpan, until: .after(.seconds(5)))
    #expect(buffer == Array("mptcp".utf8))
    #expect(Endpoint<Mine>("mptcp://:80") == nil && Endpoint<Mine>("tcp://[::]:80")?.description == "tcp://*:80")
  }

  @Test(arguments: [IPSocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)])
  func connectsToItsOwnKind(_ address: IPSocketAddress) throws {
    let limit = Deadline.after(.seconds(5))
    let listener = try MultipathTCPSocket.listen(on: address)
    let client = try MultipathTCPSocket.connect(to: listener.localAddress(), until: limit)
    let server = try listener.accept(until: limit)
    try exchange(client, server)
    let isMultipath = MultipathTCPSocket.unavailability(address.family) == nil
    #expect(try (client.additionalPaths() != nil) == isMultipath)
  }

  @Test func takesPlainPeers() throws {
    let limit = Deadline.after(.seconds(5))
    let listener = try MultipathTCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: limit)
    let server = try listener.accept(until: limit)
    try exchange(client, server)
    #expect(try server.additionalPaths() == nil)
  }

  @Test func speaksToPlainListeners() throws {
    let limit = Deadline.after(.seconds(5))
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try MultipathTCPSocket.connect(to: listener.localAddress(), until: limit)
    let server = try listener.accept(until: limit)
    try exchange(client, server)
    #expect(try client.additionalPaths() == nil)
  }

  @Test func refusedConnectsSayWhere() throws {
    let listener = try MultipathTCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    try listener.close()
    do throws(SocketError) {
      _ = try MultipathTCPSocket.connect(to: address, until: .after(.seconds(5)))
      Issue.record("the connect to a closed port succeeded")
    } catch {
      #expect(error.code == .connectionRefused)
      #expect(error.address == address.description)
    }
  }

  @Test func adoptsPlainAndMultipath() throws {
    let address = IPSocketAddress.loopback(port: 0)
    for kind in [SocketKind(.unix, .stream), SocketKind(.ipv4, .datagram, protocolNumber: 17)] {
      #expect(throws: SocketError(code: .wrongSocketKind, .adopt)) {
        _ = try MultipathTCPSocket(adopting: RawDescriptor.open(kind))
      }
    }
    _ = try MultipathTCPSocket(adopting: RawDescriptor.open(SocketKind(.ipv4, .stream, protocolNumber: 6)))
    let raw = try MultipathTCPSocket.open(for: address).releaseDescriptor()
    let adopted = try MultipathTCPSocket(adopting: raw)
    try adopted.setOption(.noDelay, to: true)
    #expect(try adopted.option(.noDelay))
  }
}

private struct Greeting: EndpointVisitor {
  typealias Failure = any Error

  func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(_: S.Type, at endpoint: S.Endpoint) throws {
    let socket = try S.connect(to: endpoint, until: .after(.seconds(5)))
    try socket.writeAll(S.endpointFormat.scheme.utf8.span, until: .after(.seconds(5)))
  }
}
