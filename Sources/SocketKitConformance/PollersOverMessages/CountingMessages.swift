internal import SocketKitCore

extension PollerOverMessageSuite where P: ~Copyable, S: ~Copyable {
  var countingRules: [ConformanceRule] {
    rule("count", "If 64 messages are sent to each of four sockets, each socket receives its messages once.") {
      poller, ends in
      let others = [try messages.makeEnds(), try messages.makeEnds(), try messages.makeEnds()]
      let all = [ends] + others
      for (index, ends) in all.enumerated() {
        try poller.register(ends.near.socket.value, for: .readable, token: Token(index: UInt32(index), generation: 1))
      }
      var counts = [Int](repeating: 0, count: all.count)
      for wave in 0..<8 {
        for index in wave * 8..<wave * 8 + 8 {
          for (socket, ends) in all.enumerated() { try ends.far.send([UInt8(socket)] + numbered(index)) }
        }
        while counts.contains(where: { $0 < wave * 8 + 8 }) {
          let events = try poller.events(within: Times.patience)
          try require(!events.isEmpty, "no event after \(counts) of \(wave * 8 + 8) messages each")
          for event in events {
            let socket = Int(event.token.index)
            guard case .message(let message) = try all[socket].near.tryReceive(256) else { continue }
            try requireSameBytes(message.bytes, [UInt8(socket)] + numbered(counts[socket]), "message \(counts[socket])")
            counts[socket] += 1
          }
        }
      }
      try requireEqual(counts, [64, 64, 64, 64], "the number of received messages")
      for ends in all { try poller.deregister(ends.near.socket.value) }
      for ends in others { try ends.use { _ in } }
    }
      + rule("echo", "A server loop echoes 64 messages in batches, and all echoes arrive in order.") { poller, ends in
        if !messages.traits.contains(.connected), ends.near.hasNoName { return }
        try poller.register(ends.near.socket.value, for: .readable, token: tokenA)
        let far = ends.far
        let client = RuleThread {
          for wave in 0..<8 {
            for index in wave * 8..<wave * 8 + 8 { try far.send(numbered(index)) }
            for index in wave * 8..<wave * 8 + 8 { try far.requireNext(numbered(index), "echo \(index)") }
          }
        }
        var batch = MessageBatch(capacity: 5, messageCapacity: 256)
        var echoed = 0
        while echoed < 64 {
          let events = try poller.events(within: Times.patience)
          try require(!events.isEmpty || !client.hasFailed, "the client failed after \(echoed) echoes")
          try require(!events.isEmpty, "no event after \(echoed) of 64 messages")
          for _ in events {
            echoed += try ends.near.receiveBatch(&batch).count
            try ends.near.sendAll(&batch)
          }
        }
        try client.join()
      }
  }
}
