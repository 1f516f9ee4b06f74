internal import SocketKitCore

/// Requires that a call sleeps while it waits on this thread for something that does not happen. Makes the call up to
/// three times; at least one of them must use no more than a twentieth of its time as processor time. A call that spins
/// exceeds this each time. Other processes can make a single call that sleeps exceed it. On a busy host a call that
/// spins gets little processor time: ``ThreadTimes/isSpinning(for:)`` notices it.
///
/// On a slow host the limit is half of the time, because the kernel charges much of its own work to this thread. The
/// call is made up to five times there, because the first ones may still fill buffers.
func requireSleep(_ what: String, _ body: () throws -> Void) throws {
  var attempts = SlowHost.factor > 1 ? 5 : 3
  while true {
    attempts -= 1
    let watch = Stopwatch()
    let before = ThreadTimes()
    try body()
    let used = ThreadTimes() - before
    let elapsed = watch.elapsed
    try require(elapsed >= Times.idle, "\(what): ended after \(elapsed), before \(Times.idle)")
    // The cost of the call itself, which is higher on a slow host.
    let fixed = Duration.milliseconds(2) * SlowHost.factor
    let share = SlowHost.factor > 1 ? 2 : 20
    if used.processor < elapsed / share + fixed && !used.isSpinning(for: elapsed) { return }
    try require(
      attempts > 0,
      "\(what): used \(used.processor) of processor time in \(elapsed), and ran or waited for it for \(used.runnable)")
  }
}
