import SocketKit
import TestSupport
import Testing

/// An index that the last wait did not find traps, instead of reading what an earlier wait left or what lies behind it.
///
/// Of poll only: on epoll's hot path this check costs more instructions than Tests/Counts allows.
@Suite(.exclusive) struct EventIndexTests {
  /// Reads an event of a poller that found one, then of one that found none.
  private static func read<P: Poller & ~Copyable>(_ poller: consuming P, _ index: Int, afterFinding count: Int) throws {
    let pair = try UnixStreamSocket.pair()
    try poller.register(pair.first, .readable, token: Token(index: 3))
    _ = try pair.second.write([1].span)
    var found = try poller.wait(until: .after(.seconds(5)))
    var bytes: [UInt8] = [0]
    _ = try pair.first.read(into: bytes.mutableSpan)
    if count == 0 { found = try poller.wait(until: .past) }
    guard found == count else { fatalError("found \(found)") }
    let event = poller[event: index]
    guard event.token == Token(index: 3), event.readiness.contains(.readable) else { fatalError("another event") }
    try poller.deregister(pair.first)
  }

  @Test func anEventThatWasFoundIsRead() throws {
    try Self.read(try EpollPoller(), 0, afterFinding: 1)
    try Self.read(try PollPoller(), 0, afterFinding: 1)
    try Self.read(try BusySpinPoller(BusySpinPoller.configuration(capacity: 16)), 0, afterFinding: 1)
    try Self.read(try SpinPoller<PollPoller>(SpinPoller<PollPoller>.configuration(capacity: 16)), 0, afterFinding: 1)
  }

  @Test func anIndexBeyondTheEventsTraps() async {
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try PollPoller(), 1, afterFinding: 1) }
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try PollPoller(), -1, afterFinding: 1) }
  }

  @Test func anEventOfAnEarlierWaitTraps() async {
    await #expect(processExitsWith: .failure) { try EventIndexTests.read(try PollPoller(), 0, afterFinding: 0) }
  }
}
