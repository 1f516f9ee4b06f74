import Glibc
import SocketKit
import TestSupport
import Testing

/// The kernel reports once how an association was lost, to whichever call comes first. The other calls must end too.
@Suite(.exclusive, .needsSCTP) struct SCTPConsumedErrorTests {
  /// A client whose peer has aborted: the reset has arrived, and no call has reported it.
  private func withReset(_ body: (consuming SCTPSocket) throws -> Void) throws {
    try sctpPair().split { client, server in
      try server.abort()
      #expect(becomesTrue { reportsError(client.descriptor) })
      try body(client)
    }
  }

  private func reportsError(_ descriptor: RawDescriptor) -> Bool {
    (polledEvents(descriptor.value, milliseconds: 1000) ?? 0) & POLLERR != 0
  }

  private func becomesTrue(_ condition: () -> Bool) -> Bool {
    let deadline = Deadline.after(sctpSoon)
    while !deadline.hasPassed {
      if condition() { return true }
      sleep(milliseconds: 1)
    }
    return false
  }

  private static let writes: [(name: String, write: @Sendable (borrowing SCTPSocket) throws -> Void)] = [
    ("write", { _ = try $0.write([1].span) }),
    ("gathering write", { _ = try $0.write(gathering: GatherList([1].span, [2].span)) }),
    ("message", { _ = try $0.send([1].span, info: SCTPSendInfo()) }),
  ]

  @Test func aReadEndsAfterAWriteTookTheReset() throws {
    for (name, write) in Self.writes {
      try withReset { client in
        #expect(failureCode { try write(client) } == .connectionReset, "\(name)")
        for _ in 0..<2 { #expect(client.ending().outcome == .endOfStream, "\(name)") }
        #expect(failureCode { try write(client) } == .brokenPipe, "\(name)")
      }
    }
  }

  @Test func aReaderThatWaitsEndsWhenAnotherThreadsWriteTookTheReset() throws {
    for _ in 0..<3 {
      try sctpPair().split { client, server in
        let shared = Shared(client)
        let reader = ThreadResult { shared.value.ending() }
        let writer = ThreadResult { () -> SocketError? in
          while true {
            if let error = refusal({ _ = try shared.value.write([1].span) }) { return error }
          }
        }
        sleep(milliseconds: 5)
        try server.abort()
        let read = reader.join()
        let written = writer.join()
        #expect(read.outcome == .endOfStream || read.error?.code == .connectionReset, "\(read)")
        #expect(written?.code == .connectionReset || written?.code == .brokenPipe)
      }
    }
  }

  @Test func aReadEndsAfterTheOptionTookTheReset() throws {
    try withReset { client in
      let bytes = try client.option(SocketOption(bytes: SO_ERROR, level: SOL_SOCKET))
      #expect(bytes == [UInt8(ECONNRESET), 0, 0, 0])
      #expect(failureCode { _ = try client.write([1].span) } == .brokenPipe)
      #expect(client.ending().outcome == .endOfStream)
    }
  }

  /// Reading the pending error bypasses the socket's own reads and writes.
  @Test func aReadEndsAfterThePendingErrorWasTaken() throws {
    try withReset { client in
      let taken = try client.takePendingError()
      #expect(taken?.code == .connectionReset)
      for _ in 0..<2 { #expect(client.ending().outcome == .endOfStream) }
      let (ending, error) = client.closing(within: .seconds(4))
      #expect(ending == nil && error?.code == .connectionReset, "\(ending as Any) \(error as Any)")
    }
  }

  @Test func messageCallsReportTheResetOnceAndThenTheEnd() throws {
    try withReset { client in
      #expect(failureCode { _ = try client.next(within: sctpSoon) } == .connectionReset)
      for _ in 0..<2 {
        let end = try client.next(within: sctpSoon).0
        guard case .endOfStream = end else {
          Issue.record("\(end)")
          return
        }
      }
    }
    try withReset { client in
      #expect(failureCode { try client.sendNow([1], SCTPSendInfo()) } == .connectionReset)
      let end = try client.next(within: sctpSoon).0
      guard case .endOfStream = end else {
        Issue.record("\(end)")
        return
      }
    }
  }

  @Test func aPeeledOffSocketEndsAfterASendTookTheReset() throws {
    let sockets = try EndpointPair().peel()
    try sockets.first.abort(reason: Span())
    #expect(becomesTrue { reportsError(sockets.second.descriptor) })
    #expect(failureCode { try sockets.second.sendNow([1], SCTPSendInfo()) } == .connectionReset)
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    let reset = failureCode { _ = try sockets.second.receive(into: buffer.mutableSpan, &info, until: .after(sctpSoon)) }
    #expect(reset == .connectionReset)
    let end = try sockets.second.receive(into: buffer.mutableSpan, &info, until: .after(sctpSoon))
    #expect(end == .endOfStream)
  }

  /// Closing fails although another call has reported the reset: not everything has arrived.
  @Test func closingReportsAResetThatAnotherCallHasReported() throws {
    for name in ["write", "read", "message", "receive"] {
      try withReset { client in
        let first = failureCode {
          var byte: [UInt8] = [0]
          switch name {
          case "write": _ = try client.write([1].span)
          case "read": _ = try client.read(into: byte.mutableSpan)
          case "message": _ = try client.send([1].span, info: SCTPSendInfo())
          default: _ = try client.receive(into: byte.mutableSpan)
          }
        }
        #expect(first == .connectionReset, "\(name)")
        let began = milliseconds()
        let (ending, error) = client.closing(within: .seconds(4))
        #expect(ending == nil && error?.code == .connectionReset, "\(name): \(ending as Any) \(error as Any)")
        #expect(milliseconds() - began < 2000, "\(name)")
      }
    }
  }

  @Test func closingAfterThePeersOrderlyEndIsGraceful() throws {
    for direction in [nil, ShutdownDirection.write, .both] {
      try sctpPair().split { client, server in
        try client.say("x")
        #expect(try server.hear(1) == "x")
        try server.close()
        #expect(client.ending().outcome == .endOfStream)
        if let direction { try? client.shutdown(direction) }
        #expect(client.closing(within: sctpSoon).ending == .graceful, "\(direction as Any)")
      }
    }
  }

  /// Three retransmissions of 100 ms, and the kernel gives the peer up: ETIMEDOUT, which is no reset.
  @Test func closingReportsASilentPeerAsTimedOut() throws {
    let quick = Duration.milliseconds(100)
    let timeouts = SCTPRetransmissionTimeouts(initial: quick, minimum: quick, maximum: quick)
    let nothing: [BPFInstruction] = [.drop]
    try sctpPair(client: { (socket) throws(SocketError) in
      try socket.setOption(.retransmissionTimeouts, to: timeouts)
      try socket.setOption(.associationParameters, to: SCTPAssociationParameters(maximumRetransmissions: 2))
    }).split { client, server in
      try server.setOption(.filter, to: nothing)
      try client.say("x")
      let error = client.closing(within: sctpPatience).error
      #expect(error?.code == .timedOut && error?.errno == ETIMEDOUT, "\(error as Any)")
    }
    // The same for a peeled-off socket, and for one whose reads have reported it.
    let endpoints = try EndpointPair { endpoint throws(SocketError) in
      try endpoint.setOption(.retransmissionTimeouts, to: timeouts)
      try endpoint.setOption(.associationParameters, to: SCTPAssociationParameters(maximumRetransmissions: 2))
    }
    try endpoints.peel().split { near, far in
      try far.setOption(.filter, to: nothing)
      try near.sendNow([1], SCTPSendInfo())
      let error = near.closing(within: sctpPatience).error
      #expect(error?.code == .timedOut && error?.errno == ETIMEDOUT, "\(error as Any)")
    }
    try sctpPair(client: { (socket) throws(SocketError) in
      try socket.setOption(.retransmissionTimeouts, to: timeouts)
      try socket.setOption(.associationParameters, to: SCTPAssociationParameters(maximumRetransmissions: 2))
    }).split { client, server in
      try server.setOption(.filter, to: nothing)
      try client.say("x")
      #expect(client.ending().error?.errno == ETIMEDOUT)
      let error = client.closing(within: sctpPatience).error
      #expect(error?.code == .timedOut && error?.errno == ETIMEDOUT, "\(error as Any)")
    }
  }
}

extension SCTPAssociationSocket {
  /// Closing gracefully: how it ended, or how it failed. Consumed in a function of its own, because closures cannot.
  fileprivate consuming func closing(within time: Duration) -> (ending: SCTPEnding?, error: SocketError?) {
    do throws(SocketError) {
      return (try close(until: .after(time)), nil)
    } catch {
      return (nil, error)
    }
  }
}
