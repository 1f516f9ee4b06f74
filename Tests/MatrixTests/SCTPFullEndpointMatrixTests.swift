import SocketKit
import TestSupport
import Testing

/// A one-to-many socket whose send buffer is full, with each poller: it is not reported until there is room again.
@Suite(.exclusive, .needsSCTP) struct SCTPFullEndpointMatrixTests {
  @Test func epoll() throws { try FullEndpointRules<EpollPoller>(try EpollPoller()).all() }
  @Test func poll() throws { try FullEndpointRules<PollPoller>(try PollPoller()).all() }
  @Test func spinOverEpoll() throws {
    try FullEndpointRules<BusySpinPoller>(try BusySpinPoller(BusySpinPoller.configuration(capacity: 64))).all()
  }
  @Test func spinOverPoll() throws {
    try FullEndpointRules<SpinPoller<PollPoller>>(
      try SpinPoller<PollPoller>(SpinPoller<PollPoller>.configuration(capacity: 64))
    ).all()
  }
}

private let token = Token(index: 7, generation: 1)

private struct FullEndpointRules<P: Poller & ~Copyable>: ~Copyable {
  var poller: P
  let sender: SCTPOneToManySocket
  let reader: SCTPOneToManySocket
  let association: SCTPAssociationID

  init(_ poller: consuming P) throws {
    let sender = try oneToManySocket()
    let reader = try oneToManySocket()
    let association = try sender.connect(to: reader.localAddress())
    var buffer = [UInt8](repeating: 0, count: 64)
    let arrival = try sender.receive(into: buffer.mutableSpan, until: .after(.seconds(5)))
    guard case .notification(.associationChange(let change)) = arrival, change.state == .up else {
      throw SocketError(code: .other, .connect)
    }
    self.init(poller, sender, reader, association)
  }

  private init(
    _ poller: consuming P, _ sender: consuming SCTPOneToManySocket, _ reader: consuming SCTPOneToManySocket,
    _ association: SCTPAssociationID
  ) {
    self.poller = poller
    self.sender = sender
    self.reader = reader
    self.association = association
  }

  consuming func all() throws {
    try poller.register(sender, for: .writable, token: token)
    try requireRoom("at first")
    for isEdge in [false, true] where !isEdge || poller.capabilities.contains(.edge) {
      let count = try fill()
      try poller.modify(sender, for: .writable, trigger: isEdge ? .edge : [], token: token)
      try requireQuiet("while there is no room")
      try drain(count)
      try requireRoom("after the reader has drained it")
      if isEdge { try requireQuiet("of the same edge") } else { try requireRoom("as long as there is room") }
    }
    try cancelling()
    try poller.deregister(sender)
  }

  /// Sends until there is room for no more, and none comes by what is under way.
  private borrowing func fill() throws -> Int {
    let block = [UInt8](repeating: 7, count: 10_000)
    var count = 0
    var pause = 0
    while pause < 5 {
      if try sender.send(block.span, info: SCTPSendInfo(association: association)) == nil {
        // An acknowledgement may wait 200 ms.
        sleep(milliseconds: 60)
        pause += 1
      } else {
        count += 1
        pause = 0
      }
    }
    #expect(count > 5)
    return count
  }

  /// Receives so many blocks.
  private borrowing func drain(_ count: Int) throws {
    var buffer = [UInt8](repeating: 0, count: 65536)
    var left = count
    while left > 0 {
      let arrival = try reader.receive(into: buffer.mutableSpan, until: .after(.seconds(10)))
      if case .message(let message) = arrival, message.isComplete { left -= 1 }
    }
  }

  private mutating func cancelling() throws {
    try poller.modify(sender, for: .readable, token: token)
    let control = WaitControl()
    let thread = spawn {
      sleep(milliseconds: 30)
      control.cancel()
    }
    var code: SocketError.Code?
    do throws(SocketError) {
      _ = try poller.wait(until: .after(.seconds(5)).cancellable(by: control))
    } catch {
      code = error.code
    }
    thread.join()
    #expect(code == .cancelled)
    // The poller serves on.
    try requireQuiet("after a cancelled wait")
    try poller.modify(sender, for: .writable, token: token)
    try requireRoom("after a cancelled wait")
  }

  private mutating func requireRoom(_ when: String) throws {
    let count = try poller.wait(until: .after(.seconds(5)))
    #expect(count == 1, "no event \(when)")
    if count == 1 {
      #expect(poller[event: 0].token == token && poller[event: 0].readiness.contains(.writable), "\(when)")
    }
    let block = [UInt8](repeating: 7, count: 10)
    #expect(try sender.send(block.span, info: SCTPSendInfo(association: association)) == 10, "\(when)")
    try drain(1)
  }

  private mutating func requireQuiet(_ when: String) throws {
    let count = try poller.wait(until: .after(.milliseconds(50)))
    #expect(count == 0, "an event \(when)")
  }
}
