import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct SpinTests {
  @Test func itReportsInWhichModeTheTimeWent() throws {
    var poller = try BusySpinPoller(.init(base: .init(), spins: 5, yields: 3, parks: true))
    #expect(try poller.wait(until: .after(.milliseconds(20))) == 0)
    let statistics = poller.statistics
    #expect(statistics.spins == 5 && statistics.yields == 3 && statistics.parks == 1)
    #expect(poller.capabilitiesNow.contains(.parks))
  }

  @Test func thePureModeNeverSleepsAndKeepsItsDeadline() throws {
    var poller = try BusySpinPoller(.pure(base: .init()))
    let start = milliseconds()
    #expect(try poller.wait(until: .after(.milliseconds(20))) == 0)
    #expect(milliseconds() - start >= 20)
    let statistics = poller.statistics
    #expect(statistics.parks == 0 && statistics.yields == 0 && statistics.spins > 100)
    #expect(!poller.capabilitiesNow.contains(.parks))
  }

  @Test func withoutParkingItYieldsForEver() throws {
    var poller = try SpinPoller<PollPoller>(.init(base: .init(), spins: 2, yields: 1, parks: false))
    // A yield may take milliseconds where other processes run.
    #expect(try poller.wait(until: .after(.milliseconds(300))) == 0)
    let statistics = poller.statistics
    #expect(statistics.parks == 0 && statistics.spins == 2 && statistics.yields > 10)
  }

  @Test func aWakeEndsEveryMode() throws {
    for configuration in [
      BusySpinPoller.Configuration.pure(base: .init()), .init(base: .init()),
      .init(base: .init(), spins: 0, yields: 1, parks: false),
    ] {
      var poller = try BusySpinPoller(configuration)
      let waker = poller.waker
      let other = spawn {
        sleep(milliseconds: 20)
        waker.wake()
      }
      #expect(try poller.wait(until: .after(.seconds(20))) == 0)
      let woken = poller.wasWoken
      #expect(woken)
      other.join()
    }
  }
}

extension SpinPoller where Base: ~Copyable {
  /// A copy for the test macros, which cannot hold the poller.
  fileprivate var capabilitiesNow: PollerCapabilities { capabilities }
}
