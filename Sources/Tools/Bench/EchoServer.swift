internal import CSocketKitBaseline
internal import SocketKit

/// The measured stream server. One thread echoes on all connections, over any stream transport and with any poller. The
/// server makes the same system calls as the C server.
struct EchoServer<S: StreamSocket & Acceptable & ~Copyable, P: BenchPoller & ~Copyable>: ~Copyable {
  /// The result of handling a readable connection.
  private enum Turn { case done, unsent(Range<Int>), ended }

  private let listener: Listener<S>
  private var poller: P
  private var connections: Slab<EchoConnection<S>>
  private let counters: SharedCounters
  private static var listenerToken: Token { Token(index: .max) }

  init(
    _ listener: consuming Listener<S>, capacity: Int, counters: SharedCounters
  ) throws(SocketError) {
    var poller = try P(P.configuration(capacity: capacity))
    try poller.register(listener, for: .readable, token: Self.listenerToken)
    self.listener = listener
    self.poller = poller
    self.counters = counters
    connections = Slab(capacity: capacity)
  }

  /// Runs until an error occurs that affects the server rather than a connection.
  mutating func run(bufferSize: Int) throws(SocketError) -> Never {
    var bytes = [UInt8](repeating: 0, count: bufferSize)
    // Create the span outside the loop, because each use of `mutableSpan` checks that the array is uniquely referenced.
    var buffer = bytes.mutableSpan
    while true {
      counters.values.waits &+= 1
      let count = try poller.wait()
      counters.values.returns &+= 1
      counters.values.events &+= UInt64(truncatingIfNeeded: count)
      counters.values.hidden = poller.callsBeyondWaits
      var index = 0
      while index < count {
        let event = poller[event: index]
        index &+= 1
        if event.token == Self.listenerToken {
          try acceptAll()
        } else if event.readiness == .readable {
          try echo(event.token, &buffer)
        } else {
          try sendRestOrEcho(event.token, &buffer)
        }
      }
    }
  }

  private mutating func acceptAll() throws(SocketError) {
    while !connections.isFull {
      counters.values.accepts &+= 1
      guard let socket = try listener.accept() else { return }
      let source = socket.readSource
      let token = connections.insert(EchoConnection(socket: socket))
      try poller.register(source, for: .readable, token: token)
      counters.values.controls &+= P.callsPerControl
      counters.values.open &+= 1
      if counters.values.open > counters.values.peak { counters.values.peak = counters.values.open }
    }
  }

  @inline(__always)
  private mutating func echo(_ token: Token, _ buffer: inout MutableSpan<UInt8>) throws(SocketError) {
    let counters = counters
    let turn = connections.withElement(token) { connection -> Turn in
      do throws(SocketError) {
        counters.values.reads &+= 1
        let outcome = try connection.socket.read(into: buffer._mutatingExtracting(...))
        if outcome == nil { return .done }
        guard case .bytes(let count) = outcome else { return .ended }
        counters.values.writes &+= 1
        let sent = try connection.socket.write(buffer.span.extracting(first: count)) ?? 0
        return sent == count ? .done : .unsent(sent..<count)
      } catch {
        return .ended
      }
    }
    switch turn {
    case .done, nil: return
    case .unsent(let rest): try keep(buffer.span.extracting(rest), token)
    case .ended: try close(token)
    }
  }

  private mutating func keep(_ rest: Span<UInt8>, _ token: Token) throws(SocketError) {
    let source = connections.withMutableElement(token) { connection in
      connection.unsent = rest.indices.map { rest[$0] }
      return connection.socket.writeSource
    }
    if let source { try watch(source, .writable, token) }
  }

  private mutating func sendRestOrEcho(_ token: Token, _ buffer: inout MutableSpan<UInt8>) throws(SocketError) {
    let waits = connections.withElement(token) { !$0.unsent.isEmpty }
    if waits != true { return try echo(token, &buffer) }
    let counters = counters
    let turn = connections.withMutableElement(token) { connection -> Turn in
      do throws(SocketError) {
        counters.values.writes &+= 1
        if let sent = try connection.socket.write(connection.unsent.span) {
          connection.unsent.removeFirst(sent)
        }
        return connection.unsent.isEmpty ? .done : .unsent(0..<connection.unsent.count)
      } catch {
        return .ended
      }
    }
    switch turn {
    case .done:
      let source = connections.withElement(token) { $0.socket.readSource }
      if let source { try watch(source, .readable, token) }
    case .ended: try close(token)
    case .unsent, nil: return
    }
  }

  private mutating func watch(_ source: RawDescriptor, _ interest: Interest, _ token: Token) throws(SocketError) {
    counters.values.controls &+= P.callsPerControl
    try poller.modify(source, for: interest, token: token)
  }

  private mutating func close(_ token: Token) throws(SocketError) {
    guard let connection = connections.remove(token) else { return }
    counters.values.controls &+= P.callsPerControl
    counters.values.open &-= 1
    try poller.deregister(connection.socket)
  }
}

/// A connection of the server. The type is not a private nested type, because the compiler fails on such a type in
/// debug builds (6.3.1: "Global is external, but doesn't have external or weak linkage").
struct EchoConnection<S: StreamSocket & ~Copyable>: ~Copyable {
  let socket: S
  /// The bytes that the socket did not accept. While there are such bytes, the server does not read from the
  /// connection. This delays the peer and limits the memory that the server uses.
  var unsent: [UInt8] = []
}
