import Glibc
import SocketKit
import TestSupport
import Testing

/// What pollers refuse, and the ends of the ranges of their parameters.
@Suite(.exclusive) struct PollerRangeTests {
  private func failure(_ body: () throws(SocketError) -> Void) -> SocketError? {
    do throws(SocketError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  /// The kernel answers EINVAL to each of these; the contract of pollers says `.notSupported`.
  @Test func modesThatDoNotGoTogetherAreNotSupported() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let source = listener.descriptor
    var poller = try EpollPoller()
    let together: [(Interest, Trigger)] = [
      (.readable, [.exclusive, .oneShot]), ([.readable, .readClosed], .exclusive), (.priority, .exclusive),
    ]
    for (interest, trigger) in together {
      let error = failure { () throws(SocketError) in
        try poller.register(source: source, for: interest, trigger: trigger, token: Token(index: 1))
      }
      #expect(error == SocketError(code: .notSupported, .register, errno: EINVAL))
      #expect(failure { () throws(SocketError) in try poller.deregister(source: source) }?.code == .notRegistered)
    }
    // What is watched exclusively cannot be modified, and nothing becomes exclusive.
    try poller.register(source: source, for: .readable, trigger: .exclusive, token: Token(index: 1))
    let modified = failure { () throws(SocketError) in
      try poller.modify(source, for: .readable, token: Token(index: 1))
    }
    #expect(modified == SocketError(code: .notSupported, .modify, errno: EINVAL))
    #expect(modified?.remedy != nil)
    try poller.deregister(source: source)
    try poller.register(source, for: .readable, token: Token(index: 1))
    let made = failure { () throws(SocketError) in
      try poller.modify(source: source, for: .readable, trigger: .exclusive, token: Token(index: 1))
    }
    #expect(made == SocketError(code: .notSupported, .modify, errno: EINVAL))
    try poller.deregister(source: source)
  }

  @Test func aPollerCannotWatchItself() throws {
    var poller = try EpollPoller()
    let own = poller.descriptor
    let error = failure { () throws(SocketError) in
      try poller.register(own, for: .readable, token: Token(index: 1))
    }
    #expect(error == SocketError(code: .notSupported, .register, errno: EINVAL))
    // Nor in a circle.
    var other = try EpollPoller()
    let second = other.descriptor
    try other.register(own, for: .readable, token: Token(index: 1))
    let circle = failure { () throws(SocketError) in
      try poller.register(second, for: .readable, token: Token(index: 1))
    }
    #expect(circle == SocketError(code: .notSupported, .register, errno: ELOOP))
    try other.deregister(source: own)
  }

  /// The kernel takes fewer events than an Int32 counts: a poller could be made that could not wait.
  @Test func theEventsOfOneWaitHaveALimit() throws {
    for count in [Int.min, -1, 0, 1_048_577, 178_956_971, Int(Int32.max), Int.max] {
      let error = failure { () throws(SocketError) in _ = try EpollPoller(.init(eventsPerWait: count)) }
      #expect(error == SocketError(code: .invalidArgument, .open))
    }
    for count in [1, 1_048_576] {
      var poller = try EpollPoller(.init(eventsPerWait: count))
      #expect(try poller.wait(until: .past) == 0)
    }
    for count in [Int.min, 0, 1, Int.max] {
      var poller = try EpollPoller(EpollPoller.configuration(capacity: count))
      #expect(try poller.wait(until: .past) == 0)
    }
  }

  /// A capacity is a hint. The largest one trapped.
  @Test func aPollPollerTakesAnyCapacity() throws {
    let pair = try UnixStreamSocket.pair()
    for count in [Int.min, -1, 0, 1, Int.max] {
      var poller = try PollPoller(PollPoller.configuration(capacity: count))
      try poller.register(pair.first, for: .writable, token: Token(index: 1))
      try poller.register(pair.second, for: .writable, token: Token(index: 2))
      #expect(try poller.wait(until: .past) == 2)
      var other = try PollPoller(.init(initialCapacity: count))
      try other.register(pair.first, for: .writable, token: Token(index: 1))
      #expect(try other.wait(until: .past) == 1)
    }
  }

  @Test func spinsAtTheEndsOfTheirRangesEnd() throws {
    let pair = try UnixStreamSocket.pair()
    let ends: [UInt32] = [0, 1, .max]
    for spins in ends {
      for yields in ends {
        var poller = try BusySpinPoller(.init(base: .init(), spins: spins, yields: yields))
        try poller.register(pair.first, for: .readable, token: Token(index: 1))
        #expect(try poller.wait(until: .after(.milliseconds(2))) == 0)
        try poller.deregister(pair.first)
      }
    }
  }

  /// Deadlines beyond what the kernel's structures hold.
  @Test func aWaitUntilFarAwaySleeps() throws {
    func check<P: Poller & ~Copyable>(_ poller: inout P) throws {
      for duration in [Duration.seconds(Int64.max), .nanoseconds(Int64.max), .seconds(9_000_000_000)] {
        let waker = poller.waker
        let other = spawn {
          sleep(milliseconds: 10)
          waker.wake()
        }
        let count = try poller.wait(until: .after(duration))
        let woken = poller.wasWoken
        #expect(count == 0 && woken)
        other.join()
      }
      for duration in [Duration.seconds(Int64.min), .seconds(-1)] {
        #expect(try poller.wait(until: .after(duration)) == 0)
      }
    }
    var epoll = try EpollPoller()
    try check(&epoll)
    var poll = try PollPoller()
    try check(&poll)
    var spin = try BusySpinPoller(BusySpinPoller.configuration(capacity: 1))
    try check(&spin)
  }
}
