import SocketKitCore

/// A server over any stream and any poller, with its connections in a slab.
struct EchoServer<S: StreamSocket & Acceptable & ~Copyable, P: Poller & ~Copyable>: ~Copyable {
  var poller: P
  var connections: Slab<S>
  let listener: Listener<S>
  var buffer = InlineArray<4096, UInt8>(repeating: 0)
  var accepted = 0
  var echoed = 0
  var closed = 0
  var isPaused = false

  init(_ listener: consuming Listener<S>, _ configuration: P.Configuration, capacity: Int) throws(SocketError) {
    var poller = try P(configuration)
    try poller.register(listener, for: .readable, token: Self.door)
    self.poller = poller
    self.listener = listener
    connections = Slab(capacity: capacity)
  }

  static var door: Token { Token(index: .max) }

  /// Waits once and serves what is ready.
  mutating func turn() throws(SocketError) {
    let count = try poller.wait()
    var index = 0
    while index < count {
      let event = poller[event: index]
      index &+= 1
      if event.token == Self.door {
        try acceptAll()
      } else {
        try serve(event.token)
      }
    }
  }

  mutating func acceptAll() throws(SocketError) {
    while let token = connections.nextToken {
      guard let socket = try listener.accept() else { return }
      try poller.register(socket, for: .readable, token: token)
      _ = connections.insert(socket)
      accepted &+= 1
    }
    // Full: whoever waits at the door must not keep the loop awake.
    try poller.modify(listener.descriptor, for: [], token: Self.door)
    isPaused = true
  }

  /// Echoes once. A connection that fails, ends, or takes less than it sends is closed; the server goes on.
  mutating func serve(_ token: Token) throws(SocketError) {
    let isOpen = connections.withElement(token) { socket in
      do throws(SocketError) {
        switch try socket.read(into: buffer.mutableSpan) {
        case .bytes(let count):
          echoed &+= 1
          return try socket.write(buffer.span.extracting(first: count)) == count
        case nil: return true
        case .endOfStream: return false
        }
      } catch {
        return false
      }
    }
    if isOpen != false { return }
    guard let socket = connections.remove(token) else { return }
    try poller.deregister(socket)
    closed &+= 1
    if isPaused {
      try poller.modify(listener.descriptor, for: .readable, token: Self.door)
      isPaused = false
    }
  }
}

/// Serves until so many messages were echoed and so many connections closed, in all.
func serve<S: StreamSocket & Acceptable & ~Copyable, P: Poller & ~Copyable>(
  _ server: inout EchoServer<S, P>, echoed: Int, closed: Int
) throws(SocketError) {
  while server.echoed < echoed || server.closed < closed { try server.turn() }
}
