internal import SocketKitCore

/// The result of a receive on a one-to-many socket.
enum Arrival<Association: Hashable & Sendable>: Hashable, Sendable {
  case message([UInt8], Association)
  /// An association was shut down.
  case end(Association)
  /// An association was lost, aborted or refused.
  case failure(SocketError.Code, Association)
}

/// A one-to-many socket that several threads use.
struct Party<S: OneToManySocket & ~Copyable>: Sendable {
  let socket: Shared<S>

  init(_ socket: consuming S) { self.socket = Shared(socket) }

  /// Attempts to receive once; returns nil if there is nothing to receive.
  func tryReceive(_ room: Int = 65536, _ flags: ReceiveFlags = []) throws -> Arrival<S.Association>? {
    try received(room) { socket, buffer, association, info in
      try socket.receive(into: buffer.mutableSpan, from: &association, &info, flags: flags)
    }
  }

  /// Waits for the next message or for the end of an association, and receives it.
  func next(_ room: Int = 65536, _ terms: WaitTerms = .patient) throws -> Arrival<S.Association> {
    let arrival = try received(room) { socket, buffer, association, info in
      try socket.receive(into: buffer.mutableSpan, from: &association, &info, until: terms)
    }
    guard let arrival else { throw ConformanceFailure("a waiting receive returned nothing") }
    return arrival
  }

  private func received(
    _ room: Int,
    _ receive: (borrowing S, inout [UInt8], inout S.Association?, inout MessageInfo) throws -> ReadOutcome?
  ) throws -> Arrival<S.Association>? {
    var buffer = [UInt8](repeating: 0xee, count: room)
    var association: S.Association?
    var info = MessageInfo()
    let outcome: ReadOutcome?
    do {
      outcome = try receive(socket.value, &buffer, &association, &info)
    } catch let error as SocketError {
      guard let association else { throw error }
      return .failure(error.code, association)
    }
    guard let outcome else { return nil }
    guard let association else { throw ConformanceFailure("\(outcome) without an association") }
    switch outcome {
    case .endOfStream: return .end(association)
    case .bytes(let count):
      try requireEqual(info.length, count, "the length of a message that fits")
      return .message(Array(buffer.prefix(count)), association)
    }
  }

  func requireNext(_ wanted: [UInt8], _ association: S.Association, _ what: String) throws {
    try requireArrival(.message(wanted, association), what)
  }

  func requireArrival(_ wanted: Arrival<S.Association>, _ what: String) throws {
    let seen = try next()
    if seen != wanted { throw ConformanceFailure("\(what): \(seen.text), expected \(wanted.text)") }
  }

  /// Requires that nothing can be received without waiting.
  func requireNothing(_ when: String) throws {
    if let arrival = try tryReceive() { throw ConformanceFailure("\(arrival.text) \(when)") }
  }

  func send(_ bytes: [UInt8], on association: S.Association, _ terms: WaitTerms = .patient) throws {
    let sent = try socket.value.send(bytes.span, on: association, until: terms)
    try requireEqual(sent, bytes.count, "the number of bytes sent of a message")
  }

  /// Waits until a message or the end of an association is available, but does not receive it.
  func awaitArrival() throws {
    try require(socket.value.readSource.becomesReadable(within: Times.patience), "nothing arrived")
  }

  /// Requires that the association accepts no more messages.
  func requireEnded(_ association: S.Association, _ when: String) throws {
    try requireError(.brokenPipe, in: "a send \(when)") { try socket.value.send([9].span, on: association) }
  }

  /// Receives the report of this socket's own abort. Only some transports make this report.
  func takeOwnReport(of association: S.Association) throws {
    if !socket.value.readSource.becomesReadable(within: Times.quiet) { return }
    guard let arrival = try tryReceive() else { return }
    try requireEqual(arrival, .failure(.connectionReset, association), "the report of the socket's own abort")
  }
}

extension Arrival {
  /// A short description, with at most 12 bytes of a message.
  var text: String {
    switch self {
    case .message(let bytes, let association): "\(bytes.count) bytes \(bytes.prefix(12)) on \(association)"
    case .end(let association): "the end of \(association)"
    case .failure(let code, let association): "\"\(code)\" of \(association)"
    }
  }
}

/// A server and several clients. Each client has one association with the server.
struct Associations<S: OneToManySocket & ~Copyable>: Sendable {
  let server: Party<S>
  let clients: [Party<S>]
  /// Each client's association with the server, as the client's socket identifies it.
  let ofClients: [S.Association]
  /// Each client's association with the server, as the server's socket identifies it.
  let ofServer: [S.Association]

  init(clients count: Int, _ makeSocket: () throws -> S) throws {
    server = Party(try makeSocket())
    let address = try server.socket.value.localAddress()
    var clients: [Party<S>] = []
    var ofClients: [S.Association] = []
    var ofServer: [S.Association] = []
    for index in 0..<count {
      let client = Party(try makeSocket())
      let association = try client.socket.value.connect(to: address)
      // The first message identifies the server's association with this client.
      try client.send([0xc0, UInt8(index)], on: association)
      guard case .message(let bytes, let own) = try server.next() else {
        throw ConformanceFailure("no message of client \(index)")
      }
      try requireEqual(bytes, [0xc0, UInt8(index)], "the first message of client \(index)")
      clients.append(client)
      ofClients.append(association)
      ofServer.append(own)
    }
    self.clients = clients
    self.ofClients = ofClients
    self.ofServer = ofServer
  }

  func close() {
    for client in clients { client.socket.close() }
    server.socket.close()
  }

  /// Sends a message from a client to the server, and another message in the other direction.
  func roundTrip(_ index: Int, _ when: String) throws {
    try clients[index].send([0x5a, UInt8(index)], on: ofClients[index])
    try server.requireNext([0x5a, UInt8(index)], ofServer[index], "the message of client \(index) \(when)")
    try server.send([0xa5, UInt8(index)], on: ofServer[index])
    try clients[index].requireNext([0xa5, UInt8(index)], ofClients[index], "the answer to client \(index) \(when)")
  }

  /// Requires that the associations of all clients except the first client still work.
  func requireOthers(_ when: String) throws {
    for index in clients.indices.dropFirst() { try roundTrip(index, when) }
  }
}
