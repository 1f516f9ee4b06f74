import SocketKit
import Synchronization
import TestSupport
import Testing

/// What waiting calls ask of their limit, and when.
@Suite(.exclusive) struct WaitLimitTests {
  /// Counts how often a wait reads the deadline and takes a step.
  private final class Counts: Sendable {
    let deadlines = Atomic<Int>(0)
    let steps = Atomic<Int>(0)
  }
  private struct CountedLimit: WaitLimit {
    let counts = Counts()
    let time: Duration
    var deadline: Deadline {
      counts.deadlines.add(1, ordering: .relaxed)
      return .after(time)
    }
    func begin() -> Int { 0 }
    func next(_ progress: inout Int) -> WaitStep {
      counts.steps.add(1, ordering: .relaxed)
      progress += 1
      return progress <= 3 ? .spin : .park
    }
    var reads: Int { counts.deadlines.load(ordering: .relaxed) }
    var steps: Int { counts.steps.load(ordering: .relaxed) }
  }

  @Test func aCallThatNeedNotWaitReadsNoDeadline() throws {
    let limit = CountedLimit(time: .seconds(5))
    let pair = try UnixStreamSocket.pair()
    var buffer: [UInt8] = [0, 0]
    #expect(try pair.first.write([1].span, until: limit) == 1)
    try pair.first.writeAll([2, 3, 4].span, until: limit)
    #expect(try pair.second.read(into: buffer.mutableSpan, until: limit) == .bytes(2))
    try pair.second.readExactly(into: buffer.mutableSpan, until: limit)
    #expect(buffer == [3, 4])
    let datagrams = try UnixDatagramSocket.pair()
    var info = MessageInfo()
    try datagrams.first.send([5].span, to: nil, until: limit)
    #expect(try datagrams.second.receive(into: buffer.mutableSpan, &info, until: limit) == 1)
    let packets = try UnixSequencedPacketSocket.pair()
    try packets.first.send([6].span, until: limit)
    #expect(try packets.second.receive(into: buffer.mutableSpan, &info, until: limit) == .bytes(1))
    var batch = MessageBatch(capacity: 2, messageCapacity: 2)
    try batch.append([7].span)
    try batch.send(on: packets.first, until: limit)
    #expect(try batch.receive(from: packets.second, until: limit) == 1)
    #expect(limit.reads == 0 && limit.steps == 0)
  }

  @Test func aCallThatWaitsTakesTheLimitsSteps() throws {
    let limit = CountedLimit(time: .milliseconds(20))
    let pair = try UnixStreamSocket.pair()
    var buffer: [UInt8] = [0]
    let other = spawn {
      sleep(milliseconds: 10)
      _ = try? pair.second.write([1].span)
    }
    // The deadline moves on with each step, so only the byte ends the wait.
    #expect(try pair.first.read(into: buffer.mutableSpan, until: limit) == .bytes(1))
    other.join()
    #expect(limit.steps >= 4 && limit.reads >= limit.steps)
  }

  @Test func aLimitWithADeadlineOnlySleeps() throws {
    struct Plain: WaitLimit { let deadline: Deadline }
    let pair = try UnixStreamSocket.pair()
    var buffer: [UInt8] = [0]
    let used = threadCPUTime()
    #expect(throws: SocketError(code: .timedOut, .read)) {
      _ = try pair.first.read(into: buffer.mutableSpan, until: Plain(deadline: .after(.milliseconds(60))))
    }
    #expect(threadCPUTime() - used < 30)
  }

  @Test func theStepsOfASpinningLimit() {
    func steps(_ limit: some WaitLimit) -> [WaitStep] {
      var progress = limit.begin()
      return (0..<6).map { _ in limit.next(&progress) }
    }
    #expect(steps(Deadline.never) == Array(repeating: .park, count: 6))
    #expect(steps(Deadline.never.spinning()) == Array(repeating: .spin, count: 6))
    #expect(steps(Deadline.never.spinning(2)) == [.spin, .spin, .park, .park, .park, .park])
    #expect(steps(Deadline.never.spinning(0, thenYielding: .max)) == Array(repeating: .yield, count: 6))
    #expect(steps(Deadline.never.spinning(.max, thenYielding: .max)) == Array(repeating: .spin, count: 6))
    let control = WaitControl()
    let both = Deadline.past.spinning(1, thenYielding: 2).cancellable(by: control)
    #expect(steps(both) == [.spin, .yield, .yield, .park, .park, .park])
    #expect(both.control === control && both.deadline == .past && both.cancellable(by: nil).control == nil)
  }

  @Test func aPollerLooksBeforeItSleepsWhereTheLimitSpins() throws {
    let pair = try UnixStreamSocket.pair()
    var poller = try EpollPoller()
    try poller.register(pair.first, for: .readable, token: Token(index: 1))
    #expect(try poller.wait(until: .past.spinning()) == 0)
    #expect(try poller.wait(until: .after(.milliseconds(5)).spinning()) == 0)
    let waker = poller.waker
    waker.wake()
    #expect(try poller.wait(until: .never.spinning()) == 0)
    _ = try pair.second.write([1].span)
    #expect(try poller.wait(until: .never.spinning()) == 1)
    #expect(try poller.wait(until: .never.spinning(3)) == 1)
  }

  /// `waiting(for:until:)` makes the waiting form of a verb, for a type that is no socket too.
  @Test func anyVerbThatTriesCanWait() throws {
    struct Doorbell: Watchable, ~Copyable {
      let socket: UnixStreamSocket
      var readSource: RawDescriptor { socket.readSource }
      var writeSource: RawDescriptor { socket.writeSource }
      borrowing func ring() throws(SocketError) -> UInt8? {
        var byte: [UInt8] = [0]
        return try socket.read(into: byte.mutableSpan) == nil ? nil : byte[0]
      }
    }
    let pair = try UnixStreamSocket.pair()
    let sender = pair.second
    let bell = Doorbell(socket: pair.first)
    #expect(throws: SocketError(code: .timedOut, .wait)) {
      _ = try bell.waiting(for: .readable, until: .after(.milliseconds(5))) { (bell) throws(SocketError) in
        try bell.ring()
      }
    }
    _ = try sender.write([9].span)
    let heard = try bell.waiting(for: .readable, until: .after(.seconds(5))) { (bell) throws(SocketError) in
      try bell.ring()
    }
    #expect(heard == 9)
  }
}
