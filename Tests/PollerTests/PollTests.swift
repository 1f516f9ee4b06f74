import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct PollTests {
  @Test func itGrowsWhileItIsUsed() throws {
    var poller = try PollPoller(.init(initialCapacity: 1))
    var slab = Slab<UnixStreamSocket>(capacity: 200)
    for index in 0..<100 {
      let pair = try UnixStreamSocket.pair()
      try pair.split { (first, second) throws(SocketError) in
        _ = try second.write([UInt8(index)].span)
        let token = slab.insert(first)
        _ = slab.insert(second)
        try slab.withElement(token) { (socket: borrowing UnixStreamSocket) throws(SocketError) in
          try poller.register(socket, for: .readable, token: token)
        }
      }
    }
    #expect(try poller.wait(until: .past) == 100)
    var seen: Set<Token> = []
    for index in 0..<100 { seen.insert(poller[event: index].token) }
    #expect(seen.count == 100)
  }

  /// A descriptor closed behind the poller's back is reported once and does not make the loop spin.
  @Test func aClosedDescriptorIsReportedOnce() throws {
    var poller = try PollPoller()
    let number = pipeEnd()
    try poller.register(RawDescriptor(number), for: .readable, token: Token(index: 7))
    close(number)
    #expect(try poller.wait(until: .after(.seconds(1))) == 1)
    #expect(poller.wait0 == Event(token: Token(index: 7), readiness: .invalid))
    #expect(try poller.wait(until: .after(.milliseconds(50))) == 0)
    do throws(SocketError) {
      try poller.modify(RawDescriptor(number), for: .readable, token: Token(index: 7))
      Issue.record("modified it")
    } catch {
      #expect(error.code == .closed && error.operation == .modify && error.remedy != nil)
    }
    try poller.deregister(source: RawDescriptor(number))
    #expect(throws: SocketError(code: .notRegistered, .deregister)) {
      try poller.deregister(source: RawDescriptor(number))
    }
  }

  @Test func modesItLacksAreRefused() throws {
    let pair = try UnixStreamSocket.pair()
    var poller = try PollPoller()
    for mode in [Trigger.edge, .exclusive] {
      #expect(throws: SocketError(code: .notSupported, .register)) {
        try poller.register(source: pair.first.descriptor, for: .readable, trigger: mode, token: Token(index: 1))
      }
    }
    try poller.register(pair.first, for: .readable, token: Token(index: 1))
    #expect(throws: SocketError(code: .notSupported, .modify)) {
      try poller.modify(source: pair.first.descriptor, for: .readable, trigger: .edge, token: Token(index: 1))
    }
  }

  private func pipeEnd() -> Int32 {
    let pipe = CLibrary.pipe()
    close(pipe.writeEnd)
    return pipe.readEnd
  }
}

extension PollPoller {
  /// The first event.
  fileprivate var wait0: Event { self[event: 0] }
}
