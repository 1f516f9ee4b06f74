internal import SocketKitCore

/// The calls of datagram and sequenced-packet sockets in a common form, so that one rule can test both kinds.
struct MessageCalls<S: MessageSocket & ~Copyable>: Sendable {
  typealias Receive = @Sendable (Shared<S>, inout [UInt8], inout MessageInfo, ReceiveFlags) throws -> ReadOutcome?
  typealias ReceiveAncillary =
    @Sendable (Shared<S>, inout [UInt8], inout [UInt8], inout MessageInfo) throws -> ReadOutcome?
  typealias Wait = @Sendable (Shared<S>, inout [UInt8], inout MessageInfo, WaitTerms) throws -> ReadOutcome
  typealias ReceiveScattered = @Sendable (Shared<S>, inout [[UInt8]], inout MessageInfo) throws -> ReadOutcome?
  typealias Send = @Sendable (Shared<S>, [UInt8], S.Address?) throws -> Int?
  typealias SendGathered = @Sendable (Shared<S>, [[UInt8]], S.Address?) throws -> Int?
  typealias SendWaiting = @Sendable (Shared<S>, [UInt8], S.Address?, WaitTerms) throws -> Void

  /// Attempts to receive once.
  let receive: Receive
  /// Attempts to receive once with ancillary data. The caller owns the descriptors in the ancillary data.
  let receiveAncillary: ReceiveAncillary
  /// Attempts to receive once with 64 bytes for ancillary data, through the public call. Drops the ancillary data.
  let receiveAndDropAncillary: @Sendable (Shared<S>, inout [UInt8]) throws -> ReadOutcome?
  /// Receives the bytes of a message, with the receive call that reports only the sender of the message; nil if the
  /// socket has no such call.
  let receiveFromSomebody: (@Sendable (Shared<S>) throws -> [UInt8])?
  /// Waits for a message and receives it.
  let wait: Wait
  /// Attempts to receive once into several buffers.
  let receiveScattered: ReceiveScattered
  /// Attempts to send once.
  let send: Send
  /// Attempts once to send the bytes of several buffers as one message.
  let sendGathered: SendGathered
  /// Waits for free buffer space and sends.
  let sendWaiting: SendWaiting
  /// Returns the peer's address, or nil if the socket is not connected.
  let peerAddress: @Sendable (Shared<S>) throws -> S.Address?
}

/// The limit of a waiting call. ``strategy``, the way in which the thread waits, is chosen at run time.
struct WaitTerms: WaitLimit {
  var deadline: Deadline
  var control: WaitControl?
  var strategy = Strategy.park
  enum Strategy: Sendable, CaseIterable { case park, spin, adaptive }

  static var patient: WaitTerms { WaitTerms(deadline: .after(Times.patience)) }

  private var limit: SpinningLimit<Deadline> {
    switch strategy {
    case .park: deadline.spinning(0)
    case .spin: deadline.spinning()
    case .adaptive: deadline.spinning(40, thenYielding: 4)
    }
  }

  func begin() -> UInt64 { limit.begin() }
  func next(_ progress: inout UInt64) -> WaitStep { limit.next(&progress) }
}

extension MessageCalls where S: DatagramSocket & ~Copyable {
  static var datagrams: MessageCalls {
    MessageCalls(
      receive: { try $0.value.receive(into: $1.mutableSpan, &$2, flags: $3).map { .bytes($0) } },
      receiveAncillary: { socket, buffer, ancillary, info in
        // Use the primitive: Core's own call closes the descriptors in the ancillary data.
        var bytes = buffer.mutableSpan
        var room = ancillary.mutableSpan
        var extra = room.mutableIntegerBytes
        let count = bytes.count
        let result = socket.value.attemptReceive(into: &bytes, ancillary: &extra, flags: [], &info)
        if result.isWouldBlock { return nil }
        if result.isFailure { throw SocketError(result, .receive) }
        return .bytes(min(result.raw, count))
      },
      receiveAndDropAncillary: { socket, buffer in
        var ancillary = AncillaryBuffer<64>()
        var info = MessageInfo()
        return try socket.value.receive(into: buffer.mutableSpan, ancillary: &ancillary, &info).map { .bytes($0) }
      },
      receiveFromSomebody: { socket in
        var buffer = [UInt8](repeating: 0, count: 1024)
        var bytes = buffer.mutableSpan
        var address = AnySocketAddress()
        let result = socket.value.attemptReceive(into: &bytes, from: &address, flags: [])
        return Array(buffer.prefix(max(0, result.raw)))
      },
      wait: { socket, buffer, info, terms in
        .bytes(try socket.value.receive(into: buffer.mutableSpan, &info, until: terms))
      },
      receiveScattered: { socket, rooms, info in
        var list = ScatterList()
        list.append(contentsOf: &rooms)
        return try socket.value.receive(scattering: list, &info).map { .bytes($0) }
      },
      send: { try $0.value.send($1.span, to: $2) },
      sendGathered: { socket, parts, address in
        var list = GatherList()
        list.append(contentsOf: parts)
        return try socket.value.send(gathering: list, to: address)
      },
      sendWaiting: { try $0.value.send($1.span, to: $2, until: $3) },
      peerAddress: { try $0.value.connectedAddress() })
  }
}

extension MessageCalls where S: SequencedPacketSocket & ~Copyable {
  static var packets: MessageCalls {
    MessageCalls(
      receive: { try $0.value.receive(into: $1.mutableSpan, &$2, flags: $3) },
      receiveAncillary: { socket, buffer, ancillary, info in
        // Use the primitive: Core's own call does not return ancillary data.
        var bytes = buffer.mutableSpan
        var room = ancillary.mutableSpan
        var extra = room.mutableIntegerBytes
        let count = bytes.count
        let result = socket.value.attemptReceive(into: &bytes, ancillary: &extra, flags: [], &info)
        if result.isWouldBlock { return nil }
        if result.isFailure { throw SocketError(code: .init(errno: result.errno), .receive, errno: result.errno) }
        return result.raw == 0 && S.isEnd(info) ? .endOfStream : .bytes(min(result.raw, count))
      },
      receiveAndDropAncillary: { socket, buffer in
        var ancillary = AncillaryBuffer<64>()
        var info = MessageInfo()
        return try socket.value.receive(into: buffer.mutableSpan, ancillary: &ancillary, &info)
      },
      receiveFromSomebody: nil,
      wait: { socket, buffer, info, terms in
        try socket.value.receive(into: buffer.mutableSpan, &info, until: terms)
      },
      receiveScattered: { socket, rooms, info in
        var list = ScatterList()
        list.append(contentsOf: &rooms)
        return try socket.value.receive(scattering: list, &info)
      },
      send: { socket, bytes, _ in try socket.value.send(bytes.span) },
      sendGathered: { socket, parts, _ in
        var list = GatherList()
        list.append(contentsOf: parts)
        return try socket.value.send(gathering: list)
      },
      sendWaiting: { socket, bytes, _, terms in
        try socket.value.send(bytes.span, until: terms)
      },
      peerAddress: { try $0.value.remoteAddress() })
  }
}
