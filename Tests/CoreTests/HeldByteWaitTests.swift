import Glibc
import SocketKit
import Synchronization
import TestSupport
import Testing

/// Two descriptors that are never readable and always writable, unless a test changes that.
private struct Holder: ~Copyable, Watchable, Sendable {
  let reading: SocketPair<UnixStreamSocket>
  let writing: SocketPair<UnixStreamSocket>
  let tries = Atomic<Int>(0)
  let isDone = Atomic<Bool>(false)
  let held = Atomic<UInt32>(0)
  let needed = Atomic<UInt32>(Interest.readable.rawValue)

  private init(reading: consuming SocketPair<UnixStreamSocket>, writing: consuming SocketPair<UnixStreamSocket>) {
    self.reading = reading
    self.writing = writing
  }

  static func make() throws -> Holder {
    Holder(reading: try UnixStreamSocket.pair(), writing: try UnixStreamSocket.pair())
  }

  var readSource: RawDescriptor { reading.first.descriptor }
  var writeSource: RawDescriptor { writing.first.descriptor }
  var pending: Readiness { Readiness(rawValue: held.load(ordering: .acquiring)) }
  func sources(for interest: Interest) -> Interest { Interest(rawValue: needed.load(ordering: .acquiring)) }
  func hold(_ readiness: Readiness) { held.store(readiness.rawValue, ordering: .releasing) }
  func need(_ interest: Interest) { needed.store(interest.rawValue, ordering: .releasing) }

  /// Waits until the number of tries; returns the error.
  func wait(_ count: Int = .max, until limit: some WaitLimit) -> SocketError.Code? {
    do throws(SocketError) {
      try waiting(for: .readable, until: limit) { (holder) throws(SocketError) -> Void? in
        let number = holder.tries.add(1, ordering: .relaxed).newValue
        return number >= count || holder.isDone.load(ordering: .acquiring) ? () : nil
      }
      return nil
    } catch {
      return error.code
    }
  }
  var triesSoFar: Int { tries.load(ordering: .relaxed) }
  /// Makes the descriptor for writing take no more.
  func fill() throws {
    let bytes = [UInt8](repeating: 0, count: 65536)
    while try writing.first.write(bytes.span) != nil {}
  }
}

/// Waits for something that holds bytes: `Watchable/pending`, `sources(for:)` and `announceChanges()`.
@Suite(.exclusive) struct HeldByteWaitTests {
  @Test func aWaitDoesNotSleepWhileItsDirectionIsPending() throws {
    let holder = try Holder.make()
    holder.hold([.readable])
    let began = milliseconds()
    #expect(holder.wait(50, until: .after(.seconds(5))) == nil)
    #expect(holder.triesSoFar == 50 && milliseconds() - began < 1000)
  }

  @Test func theOtherDirectionDoesNotKeepItAwake() throws {
    let holder = try Holder.make()
    holder.hold([.writable, .error])
    #expect(holder.wait(until: .after(.milliseconds(30))) == .timedOut)
    // One try at the beginning, one at the end.
    #expect(holder.triesSoFar <= 2)
  }

  @Test func aDirectionThatStaysPendingDoesNotKeepItFromEnding() throws {
    let holder = try Holder.make()
    holder.hold([.readable])
    #expect(holder.wait(until: .after(.milliseconds(20))) == .timedOut)
    let control = WaitControl()
    let shared = Shared(holder)
    let other = ThreadResult { shared.value.wait(until: .never.cancellable(by: control)) }
    sleep(milliseconds: 5)
    control.cancel()
    #expect(other.join() == .cancelled)
  }

  @Test func itSleepsOnBothDescriptors() throws {
    let shared = Shared(try Holder.make())
    shared.value.need([.readable, .writable])
    try shared.value.fill()
    let used = threadCPUTime()
    #expect(shared.value.wait(until: .after(.milliseconds(100))) == .timedOut)
    #expect(shared.value.triesSoFar < 15 && threadCPUTime() - used < 10)

    for isRead in [true, false] {
      let first = shared.value.triesSoFar
      let other = ThreadResult { shared.value.wait(first + 2, until: .after(.seconds(5))) }
      sleep(milliseconds: 5)
      let began = milliseconds()
      if isRead {
        #expect(try shared.value.reading.second.write([1].span) == 1)
      } else {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        while try shared.value.writing.second.read(into: bytes.mutableSpan) != nil {}
      }
      #expect(other.join() == nil && milliseconds() - began < 1000, "\(isRead)")
      var byte: [UInt8] = [0]
      if isRead { #expect(try shared.value.reading.first.read(into: byte.mutableSpan) == .bytes(1)) }
    }
  }

  @Test func aHangUpOfOneOfTwoCostsLittle() throws {
    let holder = try Holder.make()
    holder.need([.readable, .writable])
    try holder.fill()
    try holder.reading.second.shutdown(.both)
    try holder.reading.first.shutdown(.write)
    let used = threadCPUTime()
    #expect(holder.wait(until: .after(.milliseconds(150))) == .timedOut)
    #expect(threadCPUTime() - used < 150 / 20 + 2)
    #expect(holder.triesSoFar < 400)
  }

  @Test func aReadMayNeedOnlyTheOtherDirection() throws {
    let holder = try Holder.make()
    holder.need(.writable)
    #expect(holder.wait(2, until: .after(.seconds(5))) == nil)
  }

  @Test func anAnnouncementEndsASleep() throws {
    for control in [nil, WaitControl()] {
      let shared = Shared(try Holder.make())
      shared.value.need([.readable, .changes])
      let other = ThreadResult { shared.value.wait(until: .after(.seconds(5)).cancellable(by: control)) }
      // Now it has registered.
      sleep(milliseconds: 60)
      let tries = shared.value.triesSoFar
      let bystander = try Holder.make()
      bystander.readSource.announceChanges()
      sleep(milliseconds: 20)
      #expect(shared.value.triesSoFar == tries)
      let began = milliseconds()
      shared.value.isDone.store(true, ordering: .releasing)
      shared.value.readSource.announceChanges()
      #expect(other.join() == nil && milliseconds() - began < 1000)
      #expect(shared.value.triesSoFar <= tries + 2)
    }
  }

  @Test func withoutTheBitAnAnnouncementDoesNothing() throws {
    let shared = Shared(try Holder.make())
    let other = ThreadResult { shared.value.wait(until: .after(.milliseconds(100))) }
    sleep(milliseconds: 50)
    shared.value.readSource.announceChanges()
    #expect(other.join() == .timedOut && shared.value.triesSoFar <= 2)
  }

  @Test func pollersWatchWhatSourcesNames() throws {
    try watch(EpollPoller.self)
    try watch(PollPoller.self)
    try watch(BusySpinPoller.self)
  }

  private func watch<P: Poller & ~Copyable>(_ type: P.Type) throws {
    let holder = try Holder.make()
    var poller = try P()
    try poller.register(holder, for: .readable, token: Token(index: 3))
    #expect(try poller.wait(until: .after(.milliseconds(5))) == 0)
    holder.need([.writable, .changes])
    try poller.modify(holder, for: .readable, token: Token(index: 3))
    #expect(try poller.wait(until: .after(.seconds(5))) == 1)
    #expect(poller[event: 0].token == Token(index: 3) && poller[event: 0].readiness == .writable)
    try poller.deregister(holder)
  }
}
