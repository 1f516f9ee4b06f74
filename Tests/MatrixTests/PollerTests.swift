import SocketKit
import SocketKitConformance
import TestSupport
import Testing

enum Pollers {
  static let epoll = PollerSuite<EpollPoller>("epoll")
  static let poll = PollerSuite<PollPoller>("poll")
  static let busySpin = PollerSuite<BusySpinPoller>("spin over epoll")
  static let spinOverPoll = PollerSuite<SpinPoller<PollPoller>>("spin over poll")
  static let neverParking = PollerSuite<BusySpinPoller>(
    "spin without parking", configuration: .init(base: .init(), spins: 64, yields: 1, parks: false))
}

@Suite(.exclusive) struct PollerTests {
  @Test(arguments: Pollers.epoll.rules) func epoll(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Pollers.poll.rules) func poll(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Pollers.busySpin.rules) func busySpin(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Pollers.spinOverPoll.rules) func spinOverPoll(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Pollers.neverParking.rules) func neverParking(_ rule: ConformanceRule) { check(rule) }
}
