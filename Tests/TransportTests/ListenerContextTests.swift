import SocketKit
import TestSupport
import Testing

/// What a listener is given for its sockets reaches each of them.
@Suite(.exclusive) struct ListenerContextTests {
  @Test func eachSocketIsMadeWithIt() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0)).accepting(MarkedSocket.self, context: 4711)
    let limit = Deadline.after(.seconds(5))
    for _ in 0..<2 {
      let client = try TCPSocket.connect(to: listener.localAddress(), until: limit)
      let server = try listener.accept(until: limit)
      #expect(server.mark == 4711)
      #expect(try server.remoteAddress() == client.localAddress())
    }
    // A connection that was accepted by other means: here, by another listener on the same socket.
    let plain = Listener<TCPSocket>(try listener.descriptor.duplicate(), context: ())
    let early = try TCPSocket.connect(to: listener.localAddress(), until: limit)
    let accepted = try plain.accept(until: limit).releaseDescriptor()
    let made = MarkedSocket(accepted: accepted, context: listener.context)
    #expect(made.mark == 4711)
    #expect(try made.remoteAddress() == early.localAddress())
    let changed = listener.accepting(MarkedSocket.self, context: 12)
    #expect(changed.context == 12)
    let client = try TCPSocket.connect(to: changed.localAddress(), until: limit)
    var peer = AnySocketAddress()
    var mark: Int?
    while mark == nil && !limit.hasPassed {
      if let server = try changed.accept(reporting: &peer) { mark = server.mark }
    }
    #expect(mark == 12)
    #expect(try IPSocketAddress(peer) == client.localAddress())
  }
}

private struct MarkedSocket: ~Copyable, Acceptable {
  let base: TCPSocket
  let mark: Int

  init(accepted descriptor: consuming Descriptor, context: borrowing Int) {
    base = TCPSocket(owning: descriptor)
    mark = copy context
  }
  static var capabilities: SocketCapabilities { [] }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> IPSocketAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> IPSocketAddress { try base.remoteAddress() }
}
