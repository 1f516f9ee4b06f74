internal import SocketKitCore

/// Requires that a call on this thread sleeps while it waits for an event that does not happen. The function makes the
/// call up to three times. The processor time of at least one call must be less than 2 ms plus a twentieth of the
/// call's elapsed time. A spinning call exceeds this limit every time. A sleeping call may exceed the limit once
/// because of other processes. On a busy host a spinning call gets little processor time:
/// ``ThreadTimes/isSpinning(for:)`` detects this case.
///
/// On a slow host the limit is half of the elapsed time plus a longer fixed time, because the kernel charges much of
/// its own work to this thread. The function makes the call up to five times there, because the first calls may still
/// fill buffers.
func requireSleep(_ what: String, _ body: () throws -> Void) throws {
  var attempts = SlowHost.factor > 1 ? 5 : 3
  while true {
    attempts -= 1
    let watch = Stopwatch()
    let before = ThreadTimes()
    try body()
    let used = ThreadTimes() - before
    let elapsed = watch.elapsed
    try require(elapsed >= Times.idle, "\(what): ended after \(elapsed), earlier than \(Times.idle)")
    // The cost of the call itself, which is higher on a slow host.
    let fixed = Duration.milliseconds(2) * SlowHost.factor
    let share = SlowHost.factor > 1 ? 2 : 20
    if used.processor < elapsed / share + fixed && !used.isSpinning(for: elapsed) { return }
    try require(
      attempts > 0,
      "\(what): used \(used.processor) of processor time in \(elapsed), and was runnable for \(used.runnable)")
  }
}
