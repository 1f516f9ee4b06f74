import Glibc
import LengthPrefixed
import SocketKitCore

/// The five roots of one transport with one poller.
struct Roots<S: LoopbackTransport & ~Copyable, P: Poller & ~Copyable> {
  let name: String
  let readWrite: (borrowing S, inout P, Int) throws(SocketError) -> Int
  let catching: (borrowing S, inout P, Int) -> LoopCount
  let accept: (borrowing Listener<S>, inout P, Int) throws(SocketError) -> Int
  let server: (inout EchoServer<S, P>, Int, Int) throws(SocketError) -> Void
  let wrapper: (inout Wrapped<S>, inout P, Int) throws(SocketError) -> Int

  init(
    _ name: String, _ readWrite: @escaping (borrowing S, inout P, Int) throws(SocketError) -> Int,
    _ catching: @escaping (borrowing S, inout P, Int) -> LoopCount,
    _ accept: @escaping (borrowing Listener<S>, inout P, Int) throws(SocketError) -> Int,
    _ server: @escaping (inout EchoServer<S, P>, Int, Int) throws(SocketError) -> Void,
    _ wrapper: @escaping (inout Wrapped<S>, inout P, Int) throws(SocketError) -> Int
  ) {
    self.name = name
    self.readWrite = readWrite
    self.catching = catching
    self.accept = accept
    self.server = server
    self.wrapper = wrapper
  }
}

/// Runs the roots over loopback, one thread on both sides: messages are sent first, and wait in the kernel.
struct CompositionRun<S: LoopbackTransport & ~Copyable, P: Poller & ~Copyable> {
  let roots: Roots<S, P>
  let rounds = 20
  let token = Token(index: 1)

  func all() -> Int {
    var failed = 0
    for (shape, body) in [
      ("readWrite", readWrite), ("catching", catching), ("accept", accept), ("server", server), ("wrapper", wrapper),
    ] {
      do {
        try body()
        print("ok   \(shape) \(roots.name)")
      } catch {
        print("FAIL \(shape) \(roots.name): \(error)")
        failed += 1
      }
    }
    return failed
  }

  func poller() throws -> P { try P(P.configuration(capacity: 16)) }

  func connected() throws -> SocketPair<S> {
    let listener = try S.listen(on: S.place())
    let client = try S.connect(to: listener.localAddress(), until: .after(patience))
    return SocketPair(client, try listener.accept(until: .after(patience)))
  }

  func send(_ socket: borrowing S, _ number: Int) throws {
    try socket.writeAll(message(number).span, until: .after(patience))
  }

  func check(_ socket: borrowing S, _ number: Int) throws {
    var bytes = [UInt8](repeating: 0, count: 64)
    try socket.readExactly(into: bytes.mutableSpan, until: .after(patience))
    try expect(bytes == message(number), "message \(number) came back changed")
  }

  func readWrite() throws {
    let pair = try connected()
    var poller = try poller()
    try poller.register(pair.second, for: .readable, token: token)
    for number in 0..<rounds { try send(pair.first, number) }
    try expect(try roots.readWrite(pair.second, &poller, rounds) == rounds, "not all were echoed")
    for number in 0..<rounds { try check(pair.first, number) }
    try pair.first.shutdown(.write)
    try expect(try roots.readWrite(pair.second, &poller, 1) == 0, "the end was not seen")
    try poller.deregister(pair.second)
  }

  func catching() throws {
    var client: S? = nil
    let pair = try connected()
    var poller = try poller()
    try pair.split { (first, server) throws in
      client = consume first
      try poller.register(server, for: .readable, token: token)
      for number in 0..<rounds {
        // An optional is how a noncopyable value ends before its scope; it is full until the loop is over.
        // swift-format-ignore: NeverForceUnwrap
        try send(client!, number)
        let count = roots.catching(server, &poller, 1)
        try expect(count.echoed == 1 && count.failures == 0, "\(count)")
        // swift-format-ignore: NeverForceUnwrap
        if number < rounds - 1 { try check(client!, number) }
      }
      // The last echo is not read: closing then resets the connection.
      client = nil
      let count = roots.catching(server, &poller, 1)
      let isReset = count.failures > 0 && count.lastFailure == 104
      try expect(count.echoed == 0 && isReset == S.closingResets, "no reset was caught, or one too many: \(count)")
      try poller.deregister(server)
    }
  }

  func accept() throws {
    let listener = try S.listen(on: S.place())
    var poller = try poller()
    try poller.register(listener, for: .readable, token: token)
    for number in 0..<rounds {
      let client = try S.connect(to: listener.localAddress(), until: .after(patience))
      try send(client, number)
      // The loop answers what is there when it accepts.
      if !S.deliversAtOnce { usleep(50_000) }
      try expect(try roots.accept(listener, &poller, 1) == 1, "connection \(number) was not answered")
      try check(client, number)
      var byte: [UInt8] = [0]
      let end = try client.read(into: byte.mutableSpan, until: .after(patience))
      try expect(end == .endOfStream, "the connection was not closed")
    }
    try poller.deregister(source: listener.descriptor)
  }

  func server() throws {
    let listener = try S.listen(on: S.place())
    let address = try listener.localAddress()
    // Room for two: the third waits until one has gone.
    var server = try EchoServer<S, P>(listener, P.configuration(capacity: 16), capacity: 2)
    var clients = Slab<S>(capacity: 3)
    var tokens: [Token] = []
    for number in 0..<3 {
      tokens.append(clients.insert(try S.connect(to: address, until: .after(patience))))
      _ = try clients.withElement(tokens[number]) { try send($0, number) }
    }
    try roots.server(&server, 2, 0)
    for number in 0..<2 { _ = try clients.withElement(tokens[number]) { try check($0, number) } }
    try expect(server.accepted == 2, "a full server accepted")
    _ = clients.remove(tokens[0])
    try roots.server(&server, 3, 1)
    _ = try clients.withElement(tokens[2]) { try check($0, 2) }
    for number in 0..<rounds {
      _ = try clients.withElement(tokens[1 + number % 2]) { try send($0, number) }
      try roots.server(&server, 4 + number, 1)
      _ = try clients.withElement(tokens[1 + number % 2]) { try check($0, number) }
    }
    _ = clients.remove(tokens[1])
    _ = clients.remove(tokens[2])
    try roots.server(&server, 0, 3)
    try expect(server.connections.isEmpty && server.accepted == 3, "connections are left")
  }

  func wrapper() throws {
    let plan = FramePlan(maximumLength: 64, base: MeterPlan(ByteQuota(received: 68 * rounds)))
    let listener = try S.listen(on: S.place()).accepting(Wrapped<S>.self, context: plan)
    let address = try listener.localAddress()
    var client = FramedSocket(try S.connect(to: address, until: .after(patience)))
    var socket = try listener.accept(until: .after(patience))
    var poller = try poller()
    try poller.register(socket, for: .readable, token: token)
    for number in 0..<rounds { try client.send(message(number).span, until: .after(patience)) }
    try expect(try roots.wrapper(&socket, &poller, rounds) == rounds, "not all frames were echoed")
    var bytes = [UInt8](repeating: 0, count: 64)
    for number in 0..<rounds {
      _ = try client.receive(into: bytes.mutableSpan, until: .after(patience))
      try expect(bytes == message(number), "frame \(number) came back changed")
    }
    let counted = socket.withBase { (base) in base.received == 68 * rounds && base.sent == 68 * rounds }
    try expect(counted, "the bytes were counted wrong")
    try poller.deregister(socket)
  }
}
