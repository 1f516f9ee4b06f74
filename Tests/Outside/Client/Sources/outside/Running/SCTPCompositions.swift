import CSocketKit
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitIP
import SocketKitPoll
import SocketKitSCTP

/// The three roots of SCTP's messages with one poller.
struct SCTPRoots<P: Poller & ~Copyable> {
  let name: String
  let endpoint: (borrowing SCTPOneToManySocket, inout P, Int) throws(SocketError) -> Int
  let messaging: (borrowing SCTPAssociationSocket, inout P, Int) throws(SocketError) -> Int
  let packet: (borrowing SCTPAssociationSocket, inout P, Int) throws(SocketError) -> Int
}

/// Runs the 9 compositions of SCTP's messages; how many failed. Where the kernel has no SCTP they are named as
/// unavailable: they were compiled all the same, and the guest kernel runs them.
func runAllSCTP() -> Int {
  SCTPCompositionRun(
    roots: SCTPRoots<EpollPoller>(
      name: "sctp epoll", endpoint: hot_endpoint_sctp_epoll, messaging: hot_messaging_sctp_epoll,
      packet: hot_packet_sctp_epoll)
  ).all()
    + SCTPCompositionRun(
      roots: SCTPRoots<PollPoller>(
        name: "sctp poll", endpoint: hot_endpoint_sctp_poll, messaging: hot_messaging_sctp_poll,
        packet: hot_packet_sctp_poll)
    ).all()
    + SCTPCompositionRun(
      roots: SCTPRoots<BusySpinPoller>(
        name: "sctp spin", endpoint: hot_endpoint_sctp_spin, messaging: hot_messaging_sctp_spin,
        packet: hot_packet_sctp_spin)
    ).all()
}

/// Runs the roots over loopback, one thread on both sides: messages are sent first, and wait in the kernel.
struct SCTPCompositionRun<P: Poller & ~Copyable> {
  let roots: SCTPRoots<P>
  let rounds = 20

  func all() -> Int {
    var failed = 0
    for (shape, body) in [("endpoint", endpoint), ("messaging", messaging), ("packet", packet)] {
      do {
        try body()
        print("ok   \(shape) \(roots.name)")
      } catch let error as SocketError where error.code == .protocolNotSupported {
        print("unavailable: \(shape) \(roots.name): no SCTP in this kernel")
      } catch {
        print("FAIL \(shape) \(roots.name): \(error)")
        failed += 1
      }
    }
    return failed
  }

  /// Sends the messages to a fresh endpoint, has the body echo them, and checks what came back.
  private func run(
    _ body: (borrowing SCTPOneToManySocket, SCTPAssociationID, inout P) throws -> Int
  ) throws {
    let server = try SCTPOneToManySocket.listen(on: .loopback(port: 0))
    let client = try SCTPOneToManySocket.bind(to: .loopback(port: 0))
    try client.setOption(SocketOption(flag: CSK_SCTP_NODELAY, level: CSK_IPPROTO_SCTP), to: true)
    let target = try server.localAddress()
    for number in 0..<rounds {
      let info = SCTPSendInfo(stream: UInt16(number % 10), payloadProtocol: UInt32(number))
      try client.send(message(number).span, to: target, info: info, until: .after(patience))
    }
    var association: SCTPAssociationID?
    let deadline = Deadline.after(patience)
    while association == nil, !deadline.hasPassed { association = try server.option(.associations).first }
    guard let association else { throw Mismatch(description: "no association") }
    var poller = try P(P.configuration(capacity: 16))
    try expect(try body(server, association, &poller) == rounds, "not all were echoed")
    for number in 0..<rounds {
      var bytes = [UInt8](repeating: 0, count: 65)
      guard case .message(let seen) = try client.receive(into: bytes.mutableSpan, until: .after(patience)) else {
        throw Mismatch(description: "no message \(number)")
      }
      try expect(Array(bytes[..<seen.count]) == message(number), "message \(number) came back changed")
    }
  }

  func endpoint() throws {
    try run { server, _, poller in
      try server.setOption(SocketOption(flag: CSK_SCTP_NODELAY, level: CSK_IPPROTO_SCTP), to: true)
      try poller.register(server, for: .readable, token: Token(index: 1))
      let count = try roots.endpoint(server, &poller, rounds)
      try poller.deregister(server)
      return count
    }
  }

  private func peeled(_ root: (borrowing SCTPAssociationSocket, inout P, Int) throws(SocketError) -> Int) throws {
    try run { server, association, poller in
      let socket = try server.peelOff(association)
      try socket.setOption(SocketOption(flag: CSK_SCTP_NODELAY, level: CSK_IPPROTO_SCTP), to: true)
      try poller.register(socket, for: .readable, token: Token(index: 1))
      let count = try root(socket, &poller, rounds)
      try poller.deregister(socket)
      return count
    }
  }

  func messaging() throws { try peeled(roots.messaging) }
  func packet() throws { try peeled(roots.packet) }
}
