public import SocketKitCore

/// The conformance rules of datagram sockets, run with two sockets that send to each other.
///
/// ```swift
/// let suite = DatagramSuite<MySocket>("mine", .connected) { try MySocket.pair() }
/// ```
public struct DatagramSuite<S: DatagramSocket & ~Copyable>: ConformanceSuite {
  public let name: String
  let common: MessageRules<S>

  /// - Parameters:
  ///   - name: the name of the transport in reports.
  ///   - traits: the traits of the two sockets. With `.connected` the sockets are connected to each other. Otherwise
  ///     both sockets are bound, and each sends to the other socket's `localAddress()`.
  ///   - makePair: creates a new pair for each rule, with buffers for at least ten messages of 4096 bytes. May throw
  ///     ``ConformanceUnavailable`` with the cause.
  public init(_ name: String, _ traits: MessageTraits = [], makePair: @escaping @Sendable () throws -> SocketPair<S>) {
    self.name = name
    common = MessageRules(prefix: "datagram", traits: traits, calls: .datagrams, makePair: makePair)
  }

  public var rules: [ConformanceRule] { common.all + senderRules + refusalRules }

  private var senderRules: [ConformanceRule] {
    common.rule("sender", "Receives and peeks return the sender's address, even if the message is truncated.") { ends in
      for (from, to) in [(ends.near, ends.far), (ends.far, ends.near)] {
        for room in [64, 2, 0] {
          try from.send([1, 2, 3])
          let name = AnySocketAddress(try from.socket.value.localAddress())
          try to.awaitMessage()
          guard case .message(let peeked) = try to.tryReceive(room, .peek) else {
            throw ConformanceFailure("no message to peek at")
          }
          try requireSender(peeked, name, "peeked at")
          try requireSender(try to.next(room), name, "received into a buffer of \(room) bytes")
        }
      }
    }
      + common.rule("sender.from", "A receive returns the sender's address, or nil if the sender's socket is unnamed.")
    {
      ends in
      let name = try ends.near.socket.value.localAddress()
      let wanted = AnySocketAddress(name).byteCount > 2 ? name : nil
      var buffer = [UInt8](repeating: 0, count: 16)
      var sender: S.Address?
      for room in [16, 1, 0] {
        try ends.near.send([1, 2])
        try ends.far.awaitMessage()
        sender = nil
        var span = buffer.mutableSpan
        let outcome = try ends.far.socket.value.receive(into: span._mutatingExtracting(first: room), from: &sender)
        try requireEqual(outcome, min(2, room), "the message, received into a buffer of \(room) bytes")
        try requireEqual(sender, wanted, "the sender of the message")
        try requireFullLength(ends, room, wanted)
      }
      try requireEqual(
        try ends.far.socket.value.receive(into: buffer.mutableSpan, from: &sender), nil,
        "an attempt without a message")
    }
      + common.rule("sender.batch", "A batch contains the sender's address of each message.") { ends in
        for index in 0..<4 { try ends.near.send(numbered(index, 100)) }
        let name = AnySocketAddress(try ends.near.socket.value.localAddress())
        for message in try ends.far.receiveBatched(4, capacity: 8, room: 50) {
          try requireSender(message, name, "in a batch")
        }
      }
      + severalSenders
  }

  /// Checks the primitive `attemptReceive`, which reports the full length of a message even if the message is
  /// truncated.
  private func requireFullLength(_ ends: MessageEnds<S>, _ room: Int, _ name: S.Address?) throws {
    try ends.near.send([1, 2, 3])
    try ends.far.awaitMessage()
    var buffer = [UInt8](repeating: 0, count: room)
    var bytes = buffer.mutableSpan
    var address = AnySocketAddress()
    for flags: ReceiveFlags in [.peek, []] {
      let result = ends.far.socket.value.attemptReceive(into: &bytes, from: &address, flags: flags)
      try requireEqual(result.raw, 3, "the full length of a message received into a buffer of \(room) bytes")
      try requireEqual(S.Address(address), name, "the sender of the message")
    }
  }

  private var severalSenders: [ConformanceRule] {
    if common.traits.contains(.connected) { return [] }
    let common = common
    return common.rule(
      "sender.several",
      "A socket can receive from several senders, distinguish their addresses, and answer each sender."
    ) {
      ends in
      let others = [try common.makeEnds(), try common.makeEnds()]
      let receiver = try ends.far.socket.value.localAddress()
      let senders = others.map(\.near) + [ends.near]
      for (index, sender) in senders.enumerated() {
        try sender.calls.sendWaiting(sender.socket, numbered(index), receiver, .patient)
      }
      for (index, sender) in senders.enumerated() {
        let message = try ends.far.next()
        try requireSameBytes(message.bytes, numbered(index), "message \(index)")
        let name = try sender.socket.value.localAddress()
        try requireSender(message, AnySocketAddress(name), "from sender \(index)")
        try ends.far.calls.sendWaiting(ends.far.socket, numbered(index + 10), name, .patient)
        try sender.requireNext(numbered(index + 10), "the answer to sender \(index)")
      }
      for end in others { try end.use { _ in } }
    }
  }

  private var refusalRules: [ConformanceRule] {
    common.rule(
      "shutdown.rest",
      "After a shutdown of receiving, datagrams that have already arrived are received before the error."
    ) { ends in
      for index in 0..<3 { try ends.far.send(numbered(index)) }
      try ends.near.awaitMessage()
      try ends.near.socket.value.shutdown(.read)
      for index in 0..<3 { try ends.near.requireNext(numbered(index), "datagram \(index)") }
      try requireError(.shutDown, in: "a receive after the last datagram") { try ends.near.wait() }
    }
      + common.rule(
        "refused", given: .delayedErrors, "After a delayed error was returned, the socket still works."
      ) { ends in
        ends.far.socket.close()
        for _ in 0..<3 {
          _ = try? ends.near.trySend([1])
          try requireError(.connectionRefused, in: "a receive after a refused message") {
            try ends.near.wait(64, WaitTerms(deadline: .after(Times.limit)))
          }
          try ends.near.requireNothing("after the error was returned")
        }
      }
      + common.rule(
        "no-end",
        "If the peer has closed, a datagram socket reports no end: a receive would block or reports the refusal."
      ) {
        ends in
        try ends.far.send([1])
        ends.far.socket.close()
        try ends.near.requireNext([1], "the message that was sent before")
        do {
          try ends.near.requireNothing("from a closed peer")
        } catch let error as SocketError {
          try requireEqual(error.code, .connectionRefused, "the error")
        }
      }
  }
}

private func requireSender(_ message: Message, _ name: AnySocketAddress, _ how: String) throws {
  // Treat an address that consists only of the address family as no address: an unbound Unix socket has no address.
  let wanted = name.byteCount > 2 ? name : AnySocketAddress()
  let seen = message.sender.byteCount > 2 ? message.sender : AnySocketAddress()
  try requireEqual(seen, wanted, "the sender of a message \(how)")
}
