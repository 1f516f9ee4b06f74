internal import CSocketKitBaseline

/// What a load costs a server.
struct ServerUse: Sendable {
  /// CPU time, user and system, in nanoseconds.
  var cpu: Int64
  /// System calls, as the server's loop counts them.
  var calls: UInt64
  /// Returns of the server's wait, and the events that they reported.
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
  /// All system calls that the loop has made.
  var calls: UInt64 { waits + hidden + reads + writes + accepts + controls }
}
