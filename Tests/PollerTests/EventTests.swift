import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct EventTests {
  @Test func theDirectionsAreThoseInWhichACallWouldNotBlock() {
    let both: Interest = [.readable, .writable]
    let cases: [(Readiness, Interest)] = [
      ([], []), (.readable, .readable), (.writable, .writable), ([.readable, .writable], both),
      (.readClosed, .readable), ([.readClosed, .writable], both), (.error, both), (.hangUp, both),
      (.priority, []), (.invalid, []),
    ]
    for (readiness, directions) in cases {
      let event = Event(token: Token(index: 1), readiness: readiness)
      #expect(event.directions == directions, "\(readiness)")
      #expect(event.isReadable == directions.contains(.readable), "\(readiness)")
      #expect(event.isWritable == directions.contains(.writable), "\(readiness)")
    }
  }

  @Test func theEndOfThePeersSideIsReadableAlsoWithoutInterestInData() throws {
    try end(EpollPoller.self)
    try end(PollPoller.self)
    try end(BusySpinPoller.self)
  }

  private func end<P: Poller & ~Copyable>(_ type: P.Type) throws {
    let pair = try UnixStreamSocket.pair()
    var poller = try P()
    try poller.register(pair.first, for: .readClosed, token: Token(index: 3))
    #expect(try pair.second.write([1].span) == 1)
    #expect(try poller.wait(until: .after(.milliseconds(5))) == 0)
    try pair.second.shutdown(.write)
    #expect(try poller.wait(until: .after(.seconds(5))) == 1)
    let event = poller[event: 0]
    #expect(event.readiness == .readClosed && event.isReadable && event.directions == .readable)
    try poller.deregister(pair.first)
  }
}
