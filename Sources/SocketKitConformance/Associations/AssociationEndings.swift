internal import SocketKitCore

extension OneToManySuite where S: ~Copyable {
  var shutdownRules: [ConformanceRule] {
    rule(
      "shutdown", clients: 2,
      "After a shutdown of an association, the earlier messages arrive, and then both ends report its end once."
    ) { all in
      for number in 0..<8 { try all.clients[0].send(numbered(number), on: all.ofClients[0]) }
      try all.clients[0].socket.value.shutdown(all.ofClients[0])
      for number in 0..<8 { try all.server.requireNext(numbered(number), all.ofServer[0], "message \(number)") }
      try all.server.requireArrival(.end(all.ofServer[0]), "after the last message")
      try all.clients[0].requireArrival(.end(all.ofClients[0]), "at the client that called shutdown")
      pause(.milliseconds(2))
      try all.server.requireNothing("after the end")
      try all.clients[0].requireNothing("after the end")
    }
      + rule("shutdown.only", "Shutting down one association leaves the others open in both directions.") { all in
        try all.server.socket.value.shutdown(all.ofServer[0])
        try all.clients[0].requireArrival(.end(all.ofClients[0]), "at the client")
        try all.server.requireArrival(.end(all.ofServer[0]), "at the server")
        try all.requireOthers("after the end of another association")
      }
  }

  var abortRules: [ConformanceRule] {
    rule("abort", clients: 2, "Aborting an association ends it immediately: the peer's receive reports a reset once.") {
      all in
      try all.roundTrip(0, "before the abort")
      let watch = Stopwatch()
      try all.clients[0].socket.value.abort(all.ofClients[0])
      try all.clients[0].requireEnded(all.ofClients[0], "after the client's own abort")
      try all.server.requireArrival(.failure(.connectionReset, all.ofServer[0]), "after the abort")
      try watch.requirePrompt("the report")
      pause(.milliseconds(2))
      try all.server.requireNothing("after the reset")
    }
      + rule("abort.only", "Aborting one association leaves the others open in both directions.") { all in
        try all.server.socket.value.abort(all.ofServer[0])
        try all.server.takeOwnReport(of: all.ofServer[0])
        try all.clients[0].requireArrival(.failure(.connectionReset, all.ofClients[0]), "after the abort")
        try all.requireOthers("after the abort of another association")
      }
  }

  var endRules: [ConformanceRule] {
    rule(
      "ended", "Sends, shutdowns and aborts of an association that has ended fail, and other associations still work."
    ) {
      all in
      try all.clients[0].socket.value.shutdown(all.ofClients[0])
      try all.clients[0].requireEnded(all.ofClients[0], "after the client's own shutdown")
      try all.server.requireArrival(.end(all.ofServer[0]), "at the server")
      try all.clients[0].requireArrival(.end(all.ofClients[0]), "at the client")
      try all.clients[1].socket.value.abort(all.ofClients[1])
      try all.server.requireArrival(.failure(.connectionReset, all.ofServer[1]), "at the server")
      try SignalWatch.countingBrokenPipes { count in
        for index in 0..<2 {
          try all.server.requireEnded(all.ofServer[index], "on an association that has ended")
          try all.clients[index].requireEnded(all.ofClients[index], "on an association that has ended, at the client")
          try requireError(.brokenPipe, in: "a second shutdown") {
            try all.server.socket.value.shutdown(all.ofServer[index])
          }
          try requireError(.brokenPipe, in: "an abort after the end") {
            try all.server.socket.value.abort(all.ofServer[index])
          }
        }
        try requireEqual(count(), 0, "SIGPIPE signals")
      }
      try all.roundTrip(2, "after sends on associations that had ended")
    }
      + rule("again", clients: 2, "After an association has ended, the same peer can start a new association.") { all in
        let address = try all.server.socket.value.localAddress()
        for round in 0..<2 as Range<UInt8> {
          var association = all.ofClients[0]
          var own = all.ofServer[0]
          if round > 0 {
            association = try all.clients[0].socket.value.connect(to: address)
            try all.clients[0].send([round], on: association)
            guard case .message([round], let new) = try all.server.next() else {
              throw ConformanceFailure("no message on a new association")
            }
            own = new
            try all.server.send([3], on: own)
            try all.clients[0].requireNext([3], association, "the answer on a new association")
          }
          try all.clients[0].socket.value.shutdown(association)
          try all.server.requireArrival(.end(own), "in round \(round)")
          try all.clients[0].requireArrival(.end(association), "in round \(round), at the client")
        }
        try all.requireOthers("after new associations of another client")
      }
      + rule(
        "close", "Closing a socket ends its associations, and each peer reports the end; other associations still work."
      ) {
        all in
        all.clients[0].socket.close()
        let arrival = try all.server.next()
        let possible: [Arrival] = [.end(all.ofServer[0]), .failure(.connectionReset, all.ofServer[0])]
        try require(possible.contains(arrival), "\(arrival.text) after the peer closed")
        try all.requireOthers("after another peer closed")
      }
      + destinationRules
  }

  private var destinationRules: [ConformanceRule] {
    guard let sendNowhere else { return [] }
    return rule(
      "no-destination", clients: 2,
      "Sending a message without a destination fails with EDESTADDRREQ, and other messages are not lost."
    ) { all in
      for _ in 0..<2 {
        let result = sendNowhere(all.server.socket)
        try require(result.isFailure, "a message without a destination was sent")
        try requireEqual(result.errno, SocketNumbers.destinationRequired, "errno of a send without a destination")
      }
      for index in all.clients.indices {
        try all.clients[index].requireNothing("although no message had a destination")
        try all.roundTrip(index, "after a message without a destination")
      }
    }
  }
}
