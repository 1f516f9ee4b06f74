internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var batchRules: [ConformanceRule] {
    rule(
      "batch.order", "Messages of a batch, full or not, arrive in order, with their lengths and their sender's address."
    ) {
      ends in
      for count in [1, 3, 8] {
        var batch = MessageBatch(capacity: 8, messageCapacity: 256)
        let sent = (0..<count).map { numbered($0) }
        for bytes in sent { try batch.append(bytes.span, to: ends.near.peer) }
        try ends.near.sendAll(&batch)
        try requireEqual(batch.sent, count, "the number of messages counted as sent")
        // Read the name only now, because sending may assign a name to the socket.
        let sender = AnySocketAddress(try ends.near.socket.value.localAddress())
        let seen = try ends.far.receiveBatched(count, capacity: 8, room: 256)
        for (index, message) in seen.enumerated() {
          try requireSameBytes(message.bytes, sent[index], "message \(index) of \(count)")
          try requireEqual(message.length, sent[index].count, "the length of the message")
          try require(!message.isTruncated, "the message is reported as truncated")
          if let peer = message.knownSender { try requireEqual(peer, sender, "the sender of the message") }
        }
        try ends.far.requireNothing("after the batch")
      }
    }
      + rule(
        "batch.single",
        "Messages that were sent singly can be received as a batch, and messages of a batch can be received singly."
      ) {
        ends in
        for index in 0..<5 { try ends.near.send(numbered(index)) }
        let seen = try ends.far.receiveBatched(5, capacity: 8, room: 256)
        for (index, message) in seen.enumerated() {
          try requireSameBytes(message.bytes, numbered(index), "message \(index), received in a batch")
        }
        var batch = MessageBatch(capacity: 8, messageCapacity: 256)
        for index in 0..<5 { try batch.append(numbered(index).span, to: ends.near.peer) }
        try ends.near.sendAll(&batch)
        for index in 0..<5 { try ends.far.requireNext(numbered(index), "message \(index), sent in a batch") }
      }
      + rule(
        "batch.empty", "Sending an empty batch succeeds and sends nothing. A batch that was sent is not sent again."
      ) {
        ends in
        var batch = MessageBatch(capacity: 4, messageCapacity: 16)
        try requireEqual(try batch.send(on: ends.near.socket.value), 0, "sending an empty batch")
        try batch.append([1].span, to: ends.near.peer)
        try ends.near.sendAll(&batch)
        try requireEqual(try batch.send(on: ends.near.socket.value), 0, "sending the batch again")
        batch.removeAll()
        try requireEqual(try batch.send(on: ends.near.socket.value), 0, "sending the emptied batch")
        try ends.far.requireNext([1], "the message")
        pause(.milliseconds(1))
        try ends.far.requireNothing("after the only message")
      }
      + rule(
        "batch.fewer",
        "A batch receives the available messages without waiting for more; the queue keeps messages that do not fit."
      ) {
        ends in
        for index in 0..<3 { try ends.near.send(numbered(index)) }
        var seen = try ends.far.receiveBatched(3, capacity: 16, room: 256)
        try requireEqual(seen.count, 3, "the number of messages in a batch with 16 slots")
        for index in 0..<7 { try ends.near.send(numbered(index)) }
        seen = try ends.far.receiveBatched(4, capacity: 4, room: 256)
        try requireEqual(seen.count, 4, "the number of messages in a batch with 4 slots")
        for index in 4..<7 { try ends.far.requireNext(numbered(index), "message \(index), which did not fit") }
      }
      + rule(
        "batch.would-block",
        "Without a message, a receive of a batch returns would-block immediately, and the batch is empty."
      ) { ends in
        var batch = MessageBatch(capacity: 4, messageCapacity: 16)
        try batch.append([1].span)
        let watch = Stopwatch()
        try requireEqual(
          try batch.receive(from: ends.near.socket.value), nil, "a receive of a batch without a message")
        try watch.requirePrompt("the attempt")
        try requireEqual(batch.count, 0, "the number of messages in the batch")
        try requireEqual(batch.sent, 0, "the number of messages counted as sent")
      }
      + rule(
        "batch.truncation", unless: .continuedMessages,
        "A message truncated in a batch is reported as truncated, with its full length; other messages are complete."
      ) {
        ends in
        let sent = [numbered(0, 20), numbered(1, 500), numbered(2, 32), numbered(3, 33 + 3), numbered(4, 8)]
        for bytes in sent { try ends.near.send(bytes) }
        let seen = try ends.far.receiveBatched(5, capacity: 5, room: 32)
        for (index, message) in seen.enumerated() {
          let isCut = sent[index].count > 32
          try requireSameBytes(message.bytes, Array(sent[index].prefix(32)), "message \(index)")
          try requireEqual(message.length, sent[index].count, "the full length of message \(index)")
          try requireEqual(message.isTruncated, isCut, "whether message \(index) is reported as truncated")
        }
      }
      + rule("batch.echo", "A received batch can be sent back unchanged.") { ends in
        // An unbound sender has no address for the echo.
        if !traits.contains(.connected), ends.near.hasNoName {
          throw ConformanceUnavailable("the sockets are unnamed")
        }
        for index in 0..<6 { try ends.near.send(numbered(index)) }
        var batch = MessageBatch(capacity: 8, messageCapacity: 256)
        var echoed = 0
        while echoed < 6 {
          try ends.far.awaitMessage()
          guard let count = try batch.receive(from: ends.far.socket.value) else { continue }
          echoed += count
          try ends.far.sendAll(&batch)
        }
        for index in 0..<6 { try ends.near.requireNext(numbered(index), "echo \(index)") }
      }
      + rule("batch.reused", "A reused batch contains only the messages of the last call.") { ends in
        var batch = MessageBatch(capacity: 4, messageCapacity: 200)
        for round in 0..<12 {
          let count = 1 + round % 4
          let size = round % 2 == 0 ? 200 : 20
          for index in 0..<count { try ends.near.send(numbered(index, size)) }
          var seen: [Message] = []
          while seen.count < count {
            try ends.far.awaitMessage()
            seen += try ends.far.receiveBatch(&batch)
          }
          for (index, message) in seen.enumerated() {
            try requireSameBytes(message.bytes, numbered(index, size), "message \(index) in round \(round)")
          }
          batch.removeAll()
          for index in 0..<count { try batch.append(numbered(index, 220 - size).span, to: ends.far.peer) }
          try ends.far.sendAll(&batch)
          for index in 0..<count { try ends.near.requireNext(numbered(index, 220 - size), "answer \(index)") }
        }
      }
  }
}

extension MessageEnd where S: ~Copyable {
  var hasNoName: Bool { (try? socket.value.localAddress()).map { AnySocketAddress($0).byteCount <= 2 } ?? true }

  /// Sends the remaining messages of a batch.
  func sendAll(_ batch: inout MessageBatch) throws {
    let deadline = Deadline.after(Times.limit)
    while batch.sent < batch.count {
      let before = batch.sent
      if let count = try batch.send(on: socket.value) {
        try require(count >= 1, "a send of a batch with unsent messages reported \(count) sent messages")
        try requireEqual(batch.sent, before + count, "the number of messages counted as sent")
      }
      try require(!deadline.hasPassed, "only \(batch.sent) of \(batch.count) messages were sent in time")
    }
  }

  /// Receives one batch of available messages; returns an empty array if the call would block.
  func receiveBatch(_ batch: inout MessageBatch) throws -> [Message] {
    guard let count = try batch.receive(from: socket.value) else { return [] }
    try requireEqual(batch.count, count, "the number of messages in a batch that reported \(count)")
    try require(count >= 1 && count <= batch.capacity, "\(count) messages in a batch for \(batch.capacity)")
    try requireEqual(batch.sent, 0, "the number of messages counted as sent in a batch that was just received")
    return (0..<count).map { slot in
      return Message(
        bytes: Array(copying: batch[slot].bytes.integerBytes), length: batch[slot].fullLength, flags: batch[slot].flags,
        ancillaryLength: batch[slot].ancillary.byteCount, sender: batch[slot].address)
    }
  }

  /// Receives the given number of messages in one or more batches.
  func receiveBatched(_ count: Int, capacity: Int, room: Int) throws -> [Message] {
    var batch = MessageBatch(capacity: capacity, messageCapacity: room)
    var seen: [Message] = []
    while seen.count < count {
      try awaitMessage()
      seen += try receiveBatch(&batch)
      // Messages may arrive late, so limit the batch to the number of messages that are still missing.
      batch = MessageBatch(capacity: max(1, min(capacity, count - seen.count)), messageCapacity: room)
    }
    try requireEqual(seen.count, count, "the number of messages received in batches")
    return seen
  }
}

extension Message {
  /// The sender's address, or nil if the sender is unnamed, or if the kernel omits the address, which it may do for
  /// connected sockets.
  var knownSender: AnySocketAddress? { sender.byteCount > 2 ? sender : nil }
}
