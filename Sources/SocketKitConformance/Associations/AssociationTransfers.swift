internal import SocketKitCore

extension OneToManySuite where S: ~Copyable {
  var transferRules: [ConformanceRule] {
    rule(
      "several", clients: 4, "Each peer has its own association, and a receive returns the association of each message."
    ) {
      all in
      try requireEqual(Set(all.ofServer).count, 4, "associations of the server with four clients")
      for wave in 0..<8 {
        for index in all.clients.indices { try all.clients[index].send([UInt8(wave)], on: all.ofClients[index]) }
        var seen: Set<S.Association> = []
        for _ in all.clients {
          guard case .message([UInt8(wave)], let association) = try all.server.next() else {
            throw ConformanceFailure("no message of wave \(wave)")
          }
          seen.insert(association)
        }
        try requireEqual(seen, Set(all.ofServer), "the associations of wave \(wave)")
      }
    }
      + rule(
        "order", clients: 4,
        "If four peers send at the same time, each association keeps the order and boundaries of its messages."
      ) { all in
        let total = 40
        let senders = all.clients.indices.map { index in
          RuleThread {
            for number in 0..<total {
              try all.clients[index].send([UInt8(index)] + numbered(number), on: all.ofClients[index])
            }
          }
        }
        var next = [Int](repeating: 0, count: all.clients.count)
        let received = Result {
          while next.contains(where: { $0 < total }) {
            let arrival = try all.server.next()
            guard case .message(let bytes, let association) = arrival,
              let index = all.ofServer.firstIndex(of: association)
            else { throw ConformanceFailure("\(arrival.text) after \(next) messages") }
            try requireSameBytes(bytes, [UInt8(index)] + numbered(next[index]), "message \(next[index]) of \(index)")
            next[index] += 1
          }
        }
        for sender in senders { try sender.join() }
        try received.get()
        try all.server.requireNothing("after the last message")
      }
      + rule(
        "boundaries", clients: 2, "Messages of different lengths arrive complete, on two associations alternately."
      ) { all in
        for size in [1, 2, 3, 100, 1400, 4096] {
          for index in all.clients.indices {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: size + index), count: size)
            try all.clients[index].send(bytes, on: all.ofClients[index])
            try all.server.requireNext(bytes, all.ofServer[index], "a message of \(size) bytes")
            try all.server.send(bytes, on: all.ofServer[index])
            try all.clients[index].requireNext(bytes, all.ofClients[index], "an answer of \(size) bytes")
          }
        }
      }
      + rule("reply", "A message that is sent on an association reaches only the peer of that association.") { all in
        for index in all.clients.indices {
          try all.server.send([1, UInt8(index)], on: all.ofServer[index])
          try all.clients[index].requireNext([1, UInt8(index)], all.ofClients[index], "the answer to client \(index)")
          pause(.milliseconds(2))
          for (other, client) in all.clients.enumerated() {
            try client.requireNothing("at client \(other) after an answer to client \(index)")
          }
        }
      }
      + [
        ConformanceRule(
          "association.descriptors", "After an association has ended, no descriptor of that association is open."
        ) {
          [makeSocket] in
          let server = Party(try makeSocket())
          let client = Party(try makeSocket())
          let before = openDescriptors().count
          let address = try server.socket.value.localAddress()
          for round in 0..<3 as Range<UInt8> {
            let association = try client.socket.value.connect(to: address)
            try client.send([round], on: association)
            guard case .message([round], let own) = try server.next() else {
              throw ConformanceFailure("no message in round \(round)")
            }
            try client.socket.value.shutdown(association)
            try server.requireArrival(.end(own), "round \(round)")
            try client.requireArrival(.end(association), "round \(round), at the client")
          }
          try requireEqual(openDescriptors().count, before, "open descriptors after three associations")
          client.socket.close()
          server.socket.close()
        }
      ]
  }

  var receiveRules: [ConformanceRule] {
    rule(
      "receive.would-block", clients: 1,
      "Without a message, an attempt to receive returns would-block immediately: no end and no error."
    ) {
      all in
      let watch = Stopwatch()
      for _ in 0..<10 {
        try all.server.requireNothing("although nothing was sent")
        try watch.requirePrompt("an attempt")
      }
      try all.roundTrip(0, "after attempts without a message")
    }
      + rule(
        "receive.exact-count", clients: 1,
        "A receive writes only the message to the buffer and does not change the rest of the buffer."
      ) {
        all in
        try all.clients[0].send([1, 2, 3], on: all.ofClients[0])
        var buffer = [UInt8](repeating: 0xee, count: 16)
        var association: S.Association?
        var info = MessageInfo()
        let outcome = try all.server.socket.value.receive(
          into: buffer.mutableSpan, from: &association, &info, until: WaitTerms.patient)
        try requireEqual(outcome, .bytes(3), "the message")
        try requireEqual(association, all.ofServer[0], "the association of the message")
        try requireEqual(buffer, [1, 2, 3] + [UInt8](repeating: 0xee, count: 13), "the buffer")
      }
      + rule(
        "peek", clients: 2, without: .unpeekable,
        "A peek returns the next message or end with its association and does not remove it from the queue."
      ) { all in
        for index in all.clients.indices {
          try all.clients[index].send([1, UInt8(index)], on: all.ofClients[index])
          try all.server.awaitArrival()
          for _ in 0..<3 {
            let peeked = try all.server.tryReceive(64, .peek)
            try requireEqual(peeked, .message([1, UInt8(index)], all.ofServer[index]), "a peek")
          }
          try all.server.requireNext([1, UInt8(index)], all.ofServer[index], "the message after the peeks")
        }
        try all.server.requireNothing("after the messages were received")
        try all.clients[0].socket.value.shutdown(all.ofClients[0])
        try all.server.awaitArrival()
        for room in [64, 4, 0] {
          try requireEqual(try all.server.tryReceive(room, .peek), .end(all.ofServer[0]), "a peek at an end")
        }
        try all.server.requireArrival(.end(all.ofServer[0]), "after the peeks")
      }
  }
}
