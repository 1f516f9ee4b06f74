internal import SocketKitCore

extension OneToManySuite where S: ~Copyable {
  var waitRules: [ConformanceRule] {
    rule("wait.later", clients: 2, "A waiting receive returns a message that a peer sends later.") { all in
      for index in all.clients.indices {
        let sender = RuleThread {
          awaitSleep()
          try all.clients[index].send([1, 2, 3], on: all.ofClients[index])
        }
        let received = Result { try all.server.requireNext([1, 2, 3], all.ofServer[index], "the message") }
        try sender.join()
        try received.get()
      }
    }
      + rule(
        "wait.end", clients: 1, "A waiting receive returns the end of an association, even if the buffer is empty."
      ) {
        all in
        let ender = RuleThread {
          awaitSleep()
          try all.clients[0].socket.value.shutdown(all.ofClients[0])
        }
        let received = Result { try requireEqual(try all.server.next(0), .end(all.ofServer[0]), "the end") }
        try ender.join()
        try received.get()
      }
      + rule(
        "timeout.receive", clients: 1,
        "A receive without a message times out at its deadline, and later messages are not lost."
      ) { all in
        let watch = Stopwatch()
        try requireError(.timedOut, in: "a receive") {
          try all.server.next(64, WaitTerms(deadline: .after(Times.short)))
        }
        try watch.require(from: Times.short, "the receive")
        try all.roundTrip(0, "after a time-out")
      }
      + rule(
        "deadline.passed", clients: 1, "If the deadline has already passed, a call makes one attempt and does not wait."
      ) {
        all in
        let watch = Stopwatch()
        try requireError(.timedOut, in: "a receive") { try all.server.next(64, WaitTerms(deadline: .past)) }
        try watch.requirePrompt("the receive")
        try all.clients[0].send([1], on: all.ofClients[0], WaitTerms(deadline: .past))
        try all.server.awaitArrival()
        let arrival = try all.server.next(64, WaitTerms(deadline: .past))
        try requireEqual(arrival, .message([1], all.ofServer[0]), "a receive of a message that has arrived")
      }
      + rule(
        "cancel.pending", clients: 1,
        "Cancelling a control immediately ends all receives that wait with it, and no message is lost."
      ) {
        all in
        let control = WaitControl()
        let receivers = (0..<3).map { _ in
          RuleThread {
            try requireError(.cancelled, in: "a receive") {
              try all.server.next(64, WaitTerms(deadline: .after(Times.limit), control: control))
            }
          }
        }
        awaitSleep()
        let watch = Stopwatch()
        control.cancel()
        for receiver in receivers { try receiver.join() }
        try watch.requirePrompt("the receives")
        try all.roundTrip(0, "after cancelled receives")
      }
  }

  var roomRules: [ConformanceRule] {
    rule(
      "timeout.send", clients: 1, given: .lossless,
      "A send without buffer space times out at its deadline and sends no part of the message."
    ) { all in
      let count = try all.fill()
      let watch = Stopwatch()
      try requireError(.timedOut, in: "a send") {
        try all.clients[0].send(
          numbered(count, 1000), on: all.ofClients[0], WaitTerms(deadline: .after(Times.short)))
      }
      try watch.require(from: Times.short, "the send")
      try all.drain(0..<count)
      pause(.milliseconds(2))
      try all.server.requireNothing("after the last message that was sent")
    }
      + rule(
        "wait.room", clients: 1, given: .lossless, "A waiting send succeeds after the peer has received messages."
      ) { all in
        let count = try all.fill()
        let receiver = RuleThread {
          awaitSleep()
          try all.drain(0..<count)
        }
        let sent = Result { try all.clients[0].send(numbered(count, 1000), on: all.ofClients[0]) }
        try receiver.join()
        try sent.get()
        try all.drain(count..<count + 1)
      }
      + rule(
        "cancel.send", clients: 1, given: .lossless,
        "Cancelling ends a waiting send, and no part of the message is sent."
      ) { all in
        let count = try all.fill()
        let control = WaitControl()
        let sender = RuleThread {
          try requireError(.cancelled, in: "a send") {
            try all.clients[0].send(
              numbered(count, 1000), on: all.ofClients[0], WaitTerms(deadline: .after(Times.limit), control: control))
          }
        }
        awaitSleep()
        let watch = Stopwatch()
        control.cancel()
        try sender.join()
        try watch.requirePrompt("the send")
        try all.drain(0..<count)
        pause(.milliseconds(2))
        try all.server.requireNothing("after the last message that was sent")
      }
  }
}

extension Associations where S: ~Copyable {
  /// Sends numbered messages from the first client until a send would block; returns the number of messages sent.
  fileprivate func fill() throws -> Int {
    try sendUntilBlocked { try clients[0].socket.value.send($0.span, on: ofClients[0]) }
  }

  fileprivate func drain(_ numbers: Range<Int>) throws {
    for number in numbers { try server.requireNext(numbered(number, 1000), ofServer[0], "message \(number)") }
  }
}
