import Glibc
import SocketKit
import TestSupport
import Testing

/// An index beyond the events of the last wait traps, instead of reading an event of an earlier wait or other memory.
@Suite(.exclusive) struct EventIndexTests {
  /// Reads an event of a poller that found one, and that was also woken if `woken` is set. With a count of 0, it first
  /// waits once more, and finds none.
  private static func read<P: Poller & ~Copyable>(
    _ poller: consuming P, _ index: Int, afterFinding count: Int, woken: Bool = false
  ) throws {
    let pair = try UnixStreamSocket.pair()
    try poller.register(pair.first, for: .readable, token: Token(index: 3))
    _ = try pair.second.write([1].span)
    if woken { poller.waker.wake() }
    var found = try poller.wait(until: .after(.seconds(5)))
    guard poller.wasWoken == woken else { throw Surprise("woken: \(poller.wasWoken)") }
    var bytes: [UInt8] = [0]
    _ = try pair.first.read(into: bytes.mutableSpan)
    if count == 0 { found = try poller.wait(until: .past) }
    guard found == count else { throw Surprise("found \(found)") }
    let event = poller[event: index]
    guard event.token == Token(index: 3), event.readiness.contains(.readable) else { throw Surprise("another event") }
    try poller.deregister(pair.first)
  }

  /// Reads in an exit test, which expects a failure: an error ends the process with success, so that only a trap fails.
  private static func readExpectingTrap<P: Poller & ~Copyable>(
    _ poller: consuming P, _ index: Int, afterFinding count: Int, woken: Bool = false
  ) {
    do {
      try Self.read(poller, index, afterFinding: count, woken: woken)
    } catch {
      print(error)
      exit(0)
    }
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
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(EpollPoller(), 1, afterFinding: 1)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(EpollPoller(), -1, afterFinding: 1)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(EpollPoller(), .min, afterFinding: 1)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(EpollPoller(), 0, afterFinding: 0)
    }
  }

  @Test func epollTrapsForAnIndexBeyondTheEventsOfAWake() async {
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(EpollPoller(), 1, afterFinding: 1, woken: true)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(EpollPoller(), -1, afterFinding: 1, woken: true)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(EpollPoller(), 0, afterFinding: 0, woken: true)
    }
  }

  @Test func pollTrapsForAnIndexBeyondTheEvents() async {
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(PollPoller(), 1, afterFinding: 1)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(PollPoller(), -1, afterFinding: 1)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(PollPoller(), 0, afterFinding: 0)
    }
    await #expect(processExitsWith: .failure) {
      try EventIndexTests.readExpectingTrap(PollPoller(), 1, afterFinding: 1, woken: true)
    }
  }
}

/// What an exit test must not take for a trap.
private struct Surprise: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
