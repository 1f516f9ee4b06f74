internal import SocketKitCore
internal import SocketKitIP

extension MessageRules where S: ~Copyable {
  var ancillaryRules: [ConformanceRule] {
    rule(
      "ancillary.received", given: .timestamps,
      "Requested ancillary data arrives with each message, with its correct length."
    ) {
      ends in
      try ends.far.stampMessages()
      for size in [1, 3000] {
        try ends.near.send(numbered(0, size))
        try ends.far.awaitMessage()
        guard let (message, ancillary) = try ends.far.tryReceive(4096, ancillary: 128) else {
          throw ConformanceFailure("no message")
        }
        try requireSameBytes(message.bytes, numbered(0, size), "the message")
        try require(
          PacketMetadata(ancillary: ancillary.span.integerBytes).timestamp != nil,
          "there is no timestamp in \(ancillary.count) bytes of ancillary data")
        try require(message.flags.subtracting(.endOfRecord).isEmpty, "a message with complete ancillary data has flags")
      }
    }
      + rule(
        "ancillary.truncated", given: .timestamps,
        "Ancillary data that does not fit is reported as truncated, and the message is complete."
      ) {
        ends in
        try ends.far.stampMessages()
        for room in [0, 8, 16] {
          try ends.near.send([1, 2, 3])
          try ends.near.send([4])
          try ends.far.awaitMessage()
          guard let (message, _) = try ends.far.tryReceive(64, ancillary: room) else {
            throw ConformanceFailure("no message")
          }
          try require(
            message.flags.contains(.ancillaryTruncated),
            "truncated ancillary data in a buffer of \(room) bytes is not reported")
          try require(!message.isTruncated, "the message is reported as truncated")
          try requireEqual(message.bytes, [1, 2, 3], "the message")
          try ends.far.awaitMessage()
          guard let (next, ancillary) = try ends.far.tryReceive(64, ancillary: 128) else {
            throw ConformanceFailure("no second message")
          }
          try requireEqual(next.bytes, [4], "the next message")
          try require(
            !next.flags.contains(.ancillaryTruncated), "the ancillary data of the next message is reported as truncated"
          )
          try require(
            PacketMetadata(ancillary: ancillary.span.integerBytes).timestamp != nil, "the next message has no timestamp"
          )
        }
      }
      + rule(
        "ancillary.batch", given: .timestamps,
        "In a batch, each message has its own ancillary data, truncated if it does not fit."
      ) {
        ends in
        try ends.far.stampMessages()
        for room in [64, 0] {
          for index in 0..<3 { try ends.near.send(numbered(index)) }
          var batch = MessageBatch(capacity: 8, messageCapacity: 256, ancillaryCapacity: room)
          var stamps: [Int64?] = []
          var cut: [Bool] = []
          while stamps.count < 3 {
            try ends.far.awaitMessage()
            for (slot, message) in try ends.far.receiveBatch(&batch).enumerated() {
              try requireSameBytes(message.bytes, numbered(stamps.count), "message \(stamps.count)")
              cut.append(message.flags.contains(.ancillaryTruncated))
              stamps.append(batch[slot].metadata.timestamp)
            }
          }
          try requireEqual(
            stamps.map { $0 != nil }, [Bool](repeating: room > 0, count: 3), "whether the messages have timestamps")
          try requireEqual(cut, [Bool](repeating: room == 0, count: 3), "whether the ancillary data was truncated")
          try require(room == 0 || stamps[0] ?? 0 <= stamps[2] ?? 0, "a later message has an earlier timestamp")
        }
      }
  }

  var passedDescriptorRules: [ConformanceRule] {
    rule(
      "descriptors.arrive", given: .descriptors,
      "A descriptor that is sent with a message arrives as a new close-on-exec descriptor."
    ) {
      ends in
      try ends.near.sendDescriptors(1, of: ends.near.socket.value.readSource, with: [1, 2])
      try ends.far.awaitMessage()
      guard let (message, ancillary) = try ends.far.tryReceive(64, ancillary: 64) else {
        throw ConformanceFailure("no message")
      }
      let passed = passedDescriptors(ancillary)
      defer { for number in passed { closePassed(number) } }
      try requireEqual(message.bytes, [1, 2], "the message")
      try requireEqual(passed.count, 1, "the number of received descriptors")
      try require(passed.allSatisfy { $0.isCloseOnExec }, "a received descriptor is not close-on-exec")
      try require(!message.flags.contains(.ancillaryTruncated), "the ancillary data is reported as truncated")
    }
      + rule(
        "descriptors.dropped", given: .descriptors,
        "Descriptors without buffer space are closed, and the flags report the truncation."
      ) {
        ends in
        for count in [1, 2, 7] {
          try ends.near.sendDescriptors(count, of: ends.near.socket.value.readSource, with: [7])
          try ends.far.awaitMessage()
          guard let (message, ancillary) = try ends.far.tryReceive(64, ancillary: 0) else {
            throw ConformanceFailure("no message")
          }
          try requireEqual(message.bytes, [7], "the message")
          try requireEqual(ancillary.count, 0, "bytes of ancillary data")
          try require(
            message.flags.contains(.ancillaryTruncated), "the truncation of \(count) descriptors is not reported")
        }
      }
      + rule(
        "descriptors.surplus", given: .descriptors,
        "If more descriptors arrive than fit into the buffer, the others are closed."
      ) {
        ends in
        try ends.near.sendDescriptors(6, of: ends.near.socket.value.readSource, with: [7])
        try ends.far.awaitMessage()
        guard let (message, ancillary) = try ends.far.tryReceive(64, ancillary: 24) else {
          throw ConformanceFailure("no message")
        }
        let passed = passedDescriptors(ancillary)
        for number in passed { closePassed(number) }
        // Ancillary data is padded to words, so a buffer for one descriptor can hold two.
        try require(passed.count >= 1 && passed.count <= 2, "\(passed.count) descriptors arrived in a buffer for one")
        try require(message.flags.contains(.ancillaryTruncated), "the truncation is not reported")
        try requireEqual(message.bytes, [7], "the message")
      }
      + rule(
        "descriptors.unasked", given: .descriptors,
        "Descriptors that arrive with a receive, peek or batch without a buffer for ancillary data are not leaked."
      ) {
        ends in
        for index in 0..<7 {
          try ends.near.sendDescriptors(3, of: ends.near.socket.value.readSource, with: numbered(index))
        }
        try ends.far.awaitMessage()
        guard case .message(let peeked) = try ends.far.tryReceive(64, .peek) else {
          throw ConformanceFailure("no message to peek at")
        }
        try requireEqual(peeked.bytes, Array(numbered(0).prefix(64)), "the message that a peek returned")
        try requireEqual(try ends.far.next().bytes, numbered(0), "the message that a waiting receive returned")
        guard case .message(let message) = try ends.far.tryReceive() else { throw ConformanceFailure("no message") }
        try requireEqual(message.bytes, numbered(1), "the message that a receive without waiting returned")
        _ = try ends.far.receiveBatched(2, capacity: 2, room: 256)
        _ = try ends.far.next(0)
        try requireEqual(
          try ends.far.receiveFromSomebody(), numbered(5), "the message that a receive with its sender returned")
        // The last message is not received; its descriptors are closed with the socket.
      }
      + rule(
        "descriptors.untaken", given: .descriptors,
        "Received descriptors that are not taken from the ancillary data are closed by the call or by the batch."
      ) {
        ends in
        let before = openDescriptors().count
        for index in 0..<6 {
          try ends.near.sendDescriptors(3, of: ends.near.socket.value.readSource, with: numbered(index))
        }
        try ends.far.awaitMessage()
        var buffer = [UInt8](repeating: 0, count: 1024)
        let outcome = try ends.far.calls.receiveAndDropAncillary(ends.far.socket, &buffer)
        try requireEqual(outcome, .bytes(numbered(0).count), "a receive")
        try requireEqual(
          openDescriptors().count, before, "open descriptors after a receive with a buffer for ancillary data")
        var index = 1
        var batch = MessageBatch(capacity: 2, messageCapacity: 256, ancillaryCapacity: 64)
        while index < 6 {
          try ends.far.awaitMessage()
          for message in try ends.far.receiveBatch(&batch) {
            try requireSameBytes(message.bytes, numbered(index), "message \(index)")
            index += 1
          }
        }
        batch.removeAll()
        try requireEqual(
          openDescriptors().count, before, "open descriptors after batches with buffers for ancillary data")
      }
  }
}

extension MessageEnd where S: ~Copyable {
  /// Receives a message. If the socket has a receive call that reports only the sender of the message, uses that call.
  func receiveFromSomebody() throws -> [UInt8] {
    guard let receive = calls.receiveFromSomebody else { return try next(1024).bytes }
    return try receive(socket)
  }

  func stampMessages() throws {
    do {
      try SocketOption<SocketLevelOptions, Bool>.timestamps.write(socket.value.readSource, true)
    } catch {
      throw ConformanceUnavailable("timestamps cannot be enabled: \(error)")
    }
  }

  /// Sends a message with the given number of copies of a descriptor.
  func sendDescriptors(_ count: Int, of descriptor: RawDescriptor, with bytes: [UInt8]) throws {
    var ancillary = AncillaryBuffer<128>()
    let numbers = [Int32](repeating: descriptor.value, count: count)
    try ancillary.append(level: SocketNumbers.socketLevel, type: SocketNumbers.rights, numbers.span.integerBytes)
    let target = peer.map { AnySocketAddress($0) } ?? AnySocketAddress()
    let result = target.withBytes {
      socket.value.attemptSend(bytes.span, ancillary: ancillary.bytes, to: $0, flags: [])
    }
    try requireEqual(result.raw, bytes.count, "sending \(count) descriptors")
  }
}

/// Returns the descriptors in SCM_RIGHTS messages. This process owns them and must close them.
private func passedDescriptors(_ ancillary: [UInt8]) -> [RawDescriptor] {
  var numbers: [RawDescriptor] = []
  AncillaryData.forEach(in: ancillary.span.integerBytes) { level, type, data in
    guard level == SocketNumbers.socketLevel, type == SocketNumbers.rights else { return }
    for offset in stride(from: 0, to: data.byteCount - 3, by: 4) {
      numbers.append(RawDescriptor(data.integer(at: offset, as: Int32.self)))
    }
  }
  return numbers
}

/// Closes a descriptor that ``passedDescriptors(_:)`` returned. It has no other owner.
private func closePassed(_ raw: RawDescriptor) { _ = unsafe Descriptor(unsafeOwning: raw) }
