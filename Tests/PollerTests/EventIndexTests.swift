import SocketKit
import TestSupport
import Testing

/// An index that the last wait did not find traps, instead of reading what an earlier wait left or what lies behind it.
@Suite(.exclusive) struct EventIndexTests {
  /// Reads an event of a poller that found one, and was woken as well if so said; with a count of 0, after a further wait
  /// that found none.
  private static func read<P: Poller & ~Copyable>(
    _ poller: consuming P, _ index: Int, afterFinding count: Int, woken: Bool = false
  ) throws {
    let pair = try UnixStreamSocket.pair()
    try poller.register(pair.first, .readable, token: Token(index: 3))
    _ = try pair.second.write([1].span)
    if woken { poller.waker.wake() }
    var found = try poller.wait(until: .after(.seconds(5)))
    guard poller.wasWoken == woken else { fatalError("woken: \(poller.wasWoken)") }
    var bytes: [UInt8] = [0]
    _ = try pair.first.read(into: bytes.mutableSpan)
    if count == 0 { found = try poller.wait(until: .past) }
    guard found == count else { fatalError("found \(found)") }
    let event = poller[event: index]
    guard event.token == Token(index: 3), event.readiness.contains(.readable) else { fatalError("another event") }
    try poller.deregister(pair.first)
  }

  typealias SpinOverPoll = SpinPoller<PollPoller>

  @Test(arguments: [false, true]) func anEventThatWasFoundIsRead(_ woken: Bool) throws {
    try Self.read(try EpollPoller(), 0, afterFinding: 1, woken: woken)
    try Self.read(try PollPoller(), 0, afterFinding: 1, woken: woken)
    let spin = BusySpinPoller.configuration(capacity: 16)
    try Self.read(try BusySpinPoller(spin), 0, afterFinding: 1, woken: woken)
    let overPoll = SpinOverPoll.configuration(capacity: 16)
    try Self.read(try SpinOverPoll(overPoll), 0, afterFinding: 1, woken: woken)
  }

  @Test func epollTrapsForAnIndexBeyondTheEvents() async {
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try EpollPoller(), 1, afterFinding: 1) }
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try EpollPoller(), -1, afterFinding: 1) }
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try EpollPoller(), .min, afterFinding: 1) }
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try EpollPoller(), 0, afterFinding: 0) }
  }

  @Test func epollTrapsForAnIndexBeyondTheEventsOfAWake() async {
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.read(try EpollPoller(), 1, afterFinding: 1, woken: true)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.read(try EpollPoller(), -1, afterFinding: 1, woken: true)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.read(try EpollPoller(), 0, afterFinding: 0, woken: true)
    }
  }

  @Test func pollTrapsForAnIndexBeyondTheEvents() async {
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try PollPoller(), 1, afterFinding: 1) }
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try PollPoller(), -1, afterFinding: 1) }
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try PollPoller(), 0, afterFinding: 0) }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.read(try PollPoller(), 1, afterFinding: 1, woken: true)
    }
  }
}
