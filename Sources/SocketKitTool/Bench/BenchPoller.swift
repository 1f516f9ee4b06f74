internal import SocketKit

/// A poller that can be measured: one that says how many system calls hide in its waits.
protocol BenchPoller: Poller, ~Copyable {
  /// System calls since it was made, beyond one for each wait.
  var callsBeyondWaits: UInt64 { get }
  /// System calls to register, modify or deregister one descriptor: 0 or 1.
  static var callsPerControl: UInt64 { get }
}

extension EpollPoller: BenchPoller {
  var callsBeyondWaits: UInt64 { 0 }
  static var callsPerControl: UInt64 { 1 }
}

extension PollPoller: BenchPoller {
  var callsBeyondWaits: UInt64 { 0 }
  // It asks fcntl(2) whether the descriptor is open.
  static var callsPerControl: UInt64 { 1 }
}

extension SpinPoller: BenchPoller where Base: ~Copyable {
  // A try that found nothing is a call; with a yield before the next it is two; sleeping is one more.
  var callsBeyondWaits: UInt64 { statistics.spins + 2 * statistics.yields + statistics.parks }
  static var callsPerControl: UInt64 { 1 }
}
