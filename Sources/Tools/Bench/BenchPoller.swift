internal import SocketKit

/// A poller that the bench can measure: it reports how many system calls its waits make.
protocol BenchPoller: Poller, ~Copyable {
  /// The number of system calls that the waits have made since the poller was created. The first call of each wait is
  /// not counted.
  var callsBeyondWaits: UInt64 { get }
  /// The number of system calls to register, modify or deregister one descriptor: 0 or 1.
  static var callsPerControl: UInt64 { get }
}

extension EpollPoller: BenchPoller {
  var callsBeyondWaits: UInt64 { 0 }
  static var callsPerControl: UInt64 { 1 }
}

extension PollPoller: BenchPoller {
  var callsBeyondWaits: UInt64 { 0 }
  // The poller calls fcntl(2) to check that the descriptor is open.
  static var callsPerControl: UInt64 { 1 }
}

extension SpinPoller: BenchPoller where Base: ~Copyable {
  // After the first call of a wait, each spin makes one call, each yield makes two calls, and a sleep makes one call.
  var callsBeyondWaits: UInt64 { statistics.spins + 2 * statistics.yields + statistics.parks }
  static var callsPerControl: UInt64 { 1 }
}
