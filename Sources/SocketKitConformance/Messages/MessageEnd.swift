internal import SocketKitCore

/// A received message.
struct Message: Sendable {
  var bytes: [UInt8]
  var length: Int
  var flags: MessageInfo.Flags
  var ancillaryLength = 0
  var sender: AnySocketAddress
  var isTruncated: Bool { flags.contains(.truncated) }
}

/// One of two sockets that send to each other, and the address of the other socket.
struct MessageEnd<S: MessageSocket & ~Copyable>: Sendable {
  let socket: Shared<S>
  let calls: MessageCalls<S>
  /// The destination address; nil when the socket is connected.
  let peer: S.Address?

  /// The result of one attempt to receive.
  enum Received {
    case message(Message)
    case wouldBlock
    case end
  }

  /// Attempts to receive once.
  func tryReceive(_ room: Int = 65536, _ flags: ReceiveFlags = []) throws -> Received {
    var buffer = [UInt8](repeating: 0xee, count: room)
    var info = MessageInfo()
    switch try calls.receive(socket, &buffer, &info, flags) {
    case .bytes(let count): return .message(Message(buffer, count, info))
    case nil: return .wouldBlock
    case .endOfStream: return .end
    }
  }

  /// Attempts to receive once with a buffer for ancillary data; returns the message with its ancillary data.
  func tryReceive(_ room: Int, ancillary ancillaryRoom: Int) throws -> (message: Message, ancillary: [UInt8])? {
    var buffer = [UInt8](repeating: 0xee, count: room)
    var ancillary = [UInt8](repeating: 0, count: ancillaryRoom)
    var info = MessageInfo()
    guard case .bytes(let count) = try calls.receiveAncillary(socket, &buffer, &ancillary, &info) else { return nil }
    try require(
      info.ancillaryLength <= ancillaryRoom,
      "\(info.ancillaryLength) bytes of ancillary data in a buffer of \(ancillaryRoom)")
    return (Message(buffer, count, info), Array(ancillary.prefix(info.ancillaryLength)))
  }

  func wait(_ room: Int = 65536, _ terms: WaitTerms = .patient) throws -> Received {
    var buffer = [UInt8](repeating: 0xee, count: room)
    var info = MessageInfo()
    switch try calls.wait(socket, &buffer, &info, terms) {
    case .bytes(let count): return .message(Message(buffer, count, info))
    case .endOfStream: return .end
    }
  }

  /// Waits for the next message and receives it.
  func next(_ room: Int = 65536, _ terms: WaitTerms = .patient) throws -> Message {
    guard case .message(let message) = try wait(room, terms) else {
      throw ConformanceFailure("the end was reported, expected a message")
    }
    return message
  }

  /// Waits until a message is available, but does not receive it.
  func awaitMessage() throws {
    try require(socket.value.readSource.becomesReadable(within: Times.patience), "no message arrived")
  }

  func requireNext(_ bytes: [UInt8], _ what: @autoclosure () -> String) throws {
    let message = try next()
    try requireSameBytes(message.bytes, bytes, what())
    try requireEqual(message.length, bytes.count, "the length of \(what())")
    try require(!message.isTruncated, "\(what()) is reported as truncated")
  }

  /// Requires that nothing can be received without waiting.
  func requireNothing(_ when: String) throws {
    switch try tryReceive() {
    case .wouldBlock: return
    case .end: throw ConformanceFailure("the end was reported \(when)")
    case .message(let message): throw ConformanceFailure("a message of \(message.length) bytes was received \(when)")
    }
  }

  func requireEnd(_ when: String) throws {
    switch try wait() {
    case .end: return
    case .message(let message): throw ConformanceFailure("a message of \(message.length) bytes was received \(when)")
    case .wouldBlock: throw ConformanceFailure("a waiting receive would block \(when)")
    }
  }

  func trySend(_ bytes: [UInt8]) throws -> Int? { try calls.send(socket, bytes, peer) }

  func send(_ bytes: [UInt8], _ terms: WaitTerms = .patient) throws {
    try calls.sendWaiting(socket, bytes, peer, terms)
  }

  /// Sends numbered messages of approximately the given size until a send would block; returns the number of messages
  /// sent.
  func fill(_ size: Int = 1000) throws -> Int { try sendUntilBlocked(size, trySend) }

  /// Receives the given number of messages that ``fill(_:)`` sent.
  func drain(_ count: Int, from first: Int = 0, _ size: Int = 1000) throws {
    for index in first..<first + count { try requireNext(numbered(index, size), "message \(index)") }
  }
}

/// Returns a message that identifies its position: the message contains its number, and its length differs from the
/// lengths of the previous and the next message.
func numbered(_ index: Int, _ size: Int = 100) -> [UInt8] {
  let count = max(8, size - index % 7)
  return [UInt8](littleEndian: UInt64(index))
    + [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: count - 8)
}

extension Message {
  fileprivate init(_ buffer: [UInt8], _ count: Int, _ info: MessageInfo) {
    bytes = Array(buffer.prefix(count))
    length = info.length
    flags = info.flags
    ancillaryLength = info.ancillaryLength
    sender = info.address
  }
}

/// Two ends that send to each other, for use by several threads.
struct MessageEnds<S: MessageSocket & ~Copyable>: Sendable {
  let near: MessageEnd<S>
  let far: MessageEnd<S>

  init(_ pair: consuming SocketPair<S>, _ calls: MessageCalls<S>, connected: Bool) throws {
    let sockets = pair.split { SharedPair(near: Shared($0), far: Shared($1)) }
    let nearAddress = connected ? nil : try sockets.near.value.localAddress()
    let farAddress = connected ? nil : try sockets.far.value.localAddress()
    near = MessageEnd(socket: sockets.near, calls: calls, peer: farAddress)
    far = MessageEnd(socket: sockets.far, calls: calls, peer: nearAddress)
  }

  private struct SharedPair {
    let near: Shared<S>
    let far: Shared<S>
  }

  /// Runs `body`, then closes both ends. If `body` fails, the function shuts both ends down instead of closing them, so
  /// that pending calls return.
  func use(_ body: (MessageEnds) throws -> Void) throws {
    do {
      try body(self)
      near.socket.close()
      far.socket.close()
    } catch {
      for end in [near, far] where end.socket.isOpen { try? end.socket.value.shutdown(.both) }
      throw error
    }
  }

  func roundTrip(_ why: String) throws {
    try near.send([0x5a, 1])
    try far.requireNext([0x5a, 1], "the message sent to the far end, \(why)")
    try far.send([0xa5])
    try near.requireNext([0xa5], "the message sent to the near end, \(why)")
  }
}

/// Sends numbered messages of approximately the given size until a send would block; returns the number of messages
/// sent.
func sendUntilBlocked(_ size: Int = 1000, _ trySend: ([UInt8]) throws -> Int?) throws -> Int {
  var count = 0
  var blockedAt = -1
  while true {
    let message = numbered(count, size)
    if let sent = try trySend(message) {
      try requireEqual(sent, message.count, "the number of bytes sent of a message")
      count += 1
    } else {
      // Buffer space may become free a moment later, even if the peer does not receive. This occurs when a socket
      // forwards messages itself, and when messages that are in transit arrive in the peer's buffer.
      if blockedAt == count { return count }
      blockedAt = count
      pause(Times.settle)
    }
    try require(count < 1 << 17, "2^17 messages were accepted although the peer does not receive")
  }
}
