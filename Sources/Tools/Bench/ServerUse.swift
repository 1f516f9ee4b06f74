internal import CSocketKitBaseline

/// The resource usage of a server during a load.
struct ServerUse: Sendable {
  /// The CPU time, user and system, in nanoseconds.
  var cpu: Int64
  /// The system calls counted by the server's loop.
  var calls: UInt64
  /// The number of times that the server's wait returned, and the events that it reported.
  var waits: UInt64
  var events: UInt64

  init(_ counters: bench_counters, cpu: Int64) {
    self.cpu = cpu
    calls = counters.calls
    waits = counters.returns
    events = counters.events
  }

  static func - (after: ServerUse, before: ServerUse) -> ServerUse {
    var use = after
    use.cpu -= before.cpu
    use.calls &-= before.calls
    use.waits &-= before.waits
    use.events &-= before.events
    return use
  }
}

extension bench_counters {
  /// The number of system calls of the loop.
  var calls: UInt64 { waits + hidden + reads + writes + accepts + controls }
}
