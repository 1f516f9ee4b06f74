internal import SocketKitCore

extension MessageRules where S: ~Copyable {
  var batchRules: [ConformanceRule] {
    rule("batch.order", "Batches of 1, 3 and all that fit arrive in order, with their lengths, from their sender.") {
      ends in
      for count in [1, 3, 8] {
        var batch = MessageBatch(capacity: 8, messageCapacity: 256)
        let sent = (0..<count).map { numbered($0) }
        for bytes in sent { try batch.append(bytes.span, to: ends.near.peer) }
        try ends.near.sendAll(&batch)
        try requireEqual(batch.sent, count, "messages counted as sent")
        // Read the name only now, because sending may assign a name to the socket.
        let sender = AnySocketAddress(try ends.near.socket.value.localAddress())
        let seen = try ends.far.receiveBatched(count, capacity: 8, room: 256)
        for (index, message) in seen.enumerated() {
          try requireSameBytes(message.bytes, sent[index], "message \(index) of \(count)")
          try requireEqual(message.length, sent[index].count, "its length")
          try require(!message.isTruncated, "it is reported as truncated")
          if let peer = message.knownSender { try requireEqual(peer, sender, "its sender") }
        }
        try ends.far.requireNothing("after the batch")
      }
    }
      + rule("batch.single", "Messages sent one by one are received as a batch, and a batch is received one by one.") {
        ends in
        for index in 0..<5 { try ends.near.send(numbered(index)) }
        let seen = try ends.far.receiveBatched(5, capacity: 8, room: 256)
        for (index, message) in seen.enumerated() {
          try requireSameBytes(message.bytes, numbered(index), "message \(index) by batch")
        }
        var batch = MessageBatch(capacity: 8, messageCapacity: 256)
        for index in 0..<5 { try batch.append(numbered(index).span, to: ends.near.peer) }
        try ends.near.sendAll(&batch)
        for index in 0..<5 { try ends.far.requireNext(numbered(index), "message \(index) of a batch") }
      }
      + rule("batch.empty", "An empty batch sends nothing and is no error; one that was sent is not sent again.") {
        ends in
        var batch = MessageBatch(capacity: 4, messageCapacity: 16)
        try requireEqual(try batch.send(on: ends.near.socket.value), 0, "sending an empty batch")
        try batch.append([1].span, to: ends.near.peer)
        try ends.near.sendAll(&batch)
        try requireEqual(try batch.send(on: ends.near.socket.value), 0, "sending it once more")
        batch.removeAll()
        try requireEqual(try batch.send(on: ends.near.socket.value), 0, "sending it emptied")
        try ends.far.requireNext([1], "the message")
        pause(.milliseconds(1))
        try ends.far.requireNothing("after the one message")
      }
      + rule("batch.fewer", "A batch takes what there is without waiting to be full, and leaves what does not fit.") {
        ends in
        for index in 0..<3 { try ends.near.send(numbered(index)) }
        var seen = try ends.far.receiveBatched(3, capacity: 16, room: 256)
        try requireEqual(seen.count, 3, "messages of a batch with room for 16")
        for index in 0..<7 { try ends.near.send(numbered(index)) }
        seen = try ends.far.receiveBatched(4, capacity: 4, room: 256)
        try requireEqual(seen.count, 4, "messages of a batch with room for 4")
        for index in 4..<7 { try ends.far.requireNext(numbered(index), "message \(index), which did not fit") }
      }
      + rule("batch.would-block", "With no message a batch would block, at once, and holds nothing.") { ends in
        var batch = MessageBatch(capacity: 4, messageCapacity: 16)
        try batch.append([1].span)
        let watch = Stopwatch()
        try requireEqual(
          try batch.receive(from: ends.near.socket.value), nil, "a batch with nothing to receive")
        try watch.requirePrompt("the try")
        try requireEqual(batch.count, 0, "messages of the batch")
        try requireEqual(batch.sent, 0, "messages counted as sent")
      }
      + rule(
        "batch.truncation", unless: .continuedMessages,
        "A truncated message in a batch says so with its full length; its neighbours are whole."
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
      + rule("batch.echo", "A batch that was received is sent back as it is.") { ends in
        // An unbound sender has no address for the echo.
        if !traits.contains(.connected), ends.near.hasNoName {
          throw ConformanceUnavailable("the sockets have no names")
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
      + rule("batch.reused", "A batch that is used again and again forgets what it held before.") { ends in
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
        try require(count >= 1, "a batch with unsent messages reported \(count) of them as sent")
        try requireEqual(batch.sent, before + count, "messages counted as sent")
      }
      try require(!deadline.hasPassed, "only \(batch.sent) of \(batch.count) messages could be sent")
    }
  }

  /// Receives one batch of available messages; returns an empty array if the call would block.
  func receiveBatch(_ batch: inout MessageBatch) throws -> [Message] {
    guard let count = try batch.receive(from: socket.value) else { return [] }
    try requireEqual(batch.count, count, "messages in the batch, which reported \(count)")
    try require(count >= 1 && count <= batch.capacity, "\(count) messages in a batch for \(batch.capacity)")
    try requireEqual(batch.sent, 0, "messages counted as sent in a batch just received")
    return (0..<count).map { slot in
      let bytes = batch[slot].bytes.withUnsafeBytes { Array($0) }
      return Message(
        bytes: bytes, length: batch[slot].fullLength, flags: batch[slot].flags,
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
      // Messages may arrive late, so limit the batch to the number still missing.
      batch = MessageBatch(capacity: max(1, min(capacity, count - seen.count)), messageCapacity: room)
    }
    try requireEqual(seen.count, count, "messages received in batches")
    return seen
  }
}

extension Message {
  /// The sender's address if it has one; connected sockets may omit it.
  var knownSender: AnySocketAddress? { sender.byteCount > 2 ? sender : nil }
}
