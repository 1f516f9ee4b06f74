internal import SocketKitCore

/// A connection of the echo server.
struct EchoConnection<S: StreamSocket & ~Copyable>: ~Copyable {
  let socket: S
  /// The bytes that have been read and not yet sent back.
  var pending: [UInt8] = []
  var interest: Interest { pending.isEmpty ? .readable : .writable }
  /// The sources that the poller has to watch.
  var sources: Interest { socket.sources(for: interest) }
  /// Whether the socket's `pending` indicates that the next operation would complete without blocking. No poller
  /// reports this readiness.
  var isReady: Bool { socket.pending.rawValue & interest.rawValue != 0 }

  /// Makes at most one read and one write, so that no connection delays the others. Returns false if the connection has
  /// ended.
  mutating func serve(_ buffer: inout [UInt8]) throws -> Bool {
    do {
      if pending.isEmpty {
        let outcome = try socket.read(into: buffer.mutableSpan)
        if outcome == .endOfStream { return false }
        if case .bytes(let count) = outcome { pending = Array(buffer.prefix(count)) }
      }
      try send()
      return true
    } catch let error as SocketError where error.code == .connectionReset || error.code == .brokenPipe {
      return false
    }
  }

  // This code is a separate function, because two spans in one function of this form crash the compiler (6.3.1).
  private mutating func send() throws {
    if let count = try socket.write(pending.span) { pending.removeFirst(count) }
  }
}

/// A small echo server with one poller, similar to a typical program: it stores its connections in a slab, and its
/// interest includes writability only while it has data to send. It supports streams that buffer received bytes
/// themselves (see ``/SocketKitCore/Poller``).
struct EchoServer<P: Poller & ~Copyable, S: StreamSocket & ~Copyable>: ~Copyable {
  private var poller: P
  private var connections: Slab<EchoConnection<S>>
  private var buffer = [UInt8](repeating: 0, count: 16384)
  /// The connections that can proceed but that no poller reports.
  private var ready: [Token] = []
  /// The number of events whose token does not belong to an open connection.
  private(set) var strays = 0
  private static var listenerToken: Token { Token(rawValue: (1 << 63) - 1) }

  init(_ poller: consuming P, capacity: Int) {
    self.poller = poller
    connections = Slab(capacity: capacity)
  }

  var waker: Waker { poller.waker }
  var count: Int { connections.count }

  mutating func add(_ socket: consuming S) throws {
    guard let token = connections.nextToken else {
      throw ConformanceFailure("the server has more connections than expected")
    }
    try poller.register(socket, for: .readable, token: token)
    _ = connections.insert(EchoConnection(socket: socket, pending: []))
  }

  mutating func watch<L: Watchable & ~Copyable>(_ listener: borrowing L) throws {
    try poller.register(listener, for: .readable, token: Self.listenerToken)
  }

  /// Runs until `isDone` returns true. Before each wait, the server calls `isDone` with the number of open connections.
  /// - Parameter accept: accepts a connection from the watched listener.
  mutating func run(accepting accept: () throws -> S? = { nil }, until isDone: (_ open: Int) -> Bool) throws {
    let deadline = Deadline.after(.seconds(15))
    while !isDone(connections.count) {
      let count = try poller.wait(until: ready.isEmpty ? deadline : .past)
      if deadline.hasPassed { throw ConformanceFailure("the clients did not finish in time") }
      let held = ready
      ready = []
      for index in 0..<count {
        let event = poller[event: index]
        if event.token == Self.listenerToken {
          while let socket = try accept() { try add(socket) }
        } else {
          if try serve(event.token) == nil { strays += 1 }
        }
      }
      // An event of the same connection may have been handled before and may have ended the connection.
      for token in held { _ = try serve(token) }
    }
  }

  /// Returns whether the connection is still open; nil if the token does not belong to a connection.
  private mutating func serve(_ token: Token) throws -> Bool? {
    var isReady = false
    let isOpen: Bool? = try connections.withMutableElement(token) { connection in
      let before = connection.sources
      let isOpen = try connection.serve(&buffer)
      if !isOpen {
        try poller.deregister(connection.socket)
      } else if connection.sources != before {
        try poller.modify(connection.socket, for: connection.interest, token: token)
      }
      isReady = isOpen && connection.isReady
      return isOpen
    }
    if isReady && !ready.contains(token) { ready.append(token) }
    if isOpen == false { _ = connections.remove(token) }
    return isOpen
  }
}
