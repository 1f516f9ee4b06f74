internal import SocketKitCore

/// Runs a call that waits on this thread for something that does not happen, and requires that it sleeps: one of three
/// calls may use at most a twentieth of the time as processor time. A call that spins does so each time; what else runs on
/// the host may make one call dear.
///
/// On a slow host it may use half of the time, because the kernel's own work that is charged to this thread takes much of
/// it, and one of five calls has to sleep: the first may still fill buffers that earlier calls have not filled.
func requireSleep(_ what: String, _ body: () throws -> Void) throws {
  var attempts = SlowHost.factor > 1 ? 5 : 3
  while true {
    attempts -= 1
    let watch = Stopwatch()
    let before = threadCPUTime()
    try body()
    let burned = threadCPUTime() - before
    let elapsed = watch.elapsed
    try require(elapsed >= Times.idle, "\(what): ended after \(elapsed), before \(Times.idle)")
    // The cost of the call itself, which is higher on a slow host.
    let fixed = Duration.milliseconds(2) * SlowHost.factor
    let share = SlowHost.factor > 1 ? 2 : 20
    if burned < elapsed / share + fixed { return }
    try require(attempts > 0, "\(what): used \(burned) of processor time in \(elapsed)")
  }
}
