internal import SocketKitCore

/// Runs a call that waits on this thread for something that does not happen, and requires that it sleeps: it may use a
/// twentieth of the time as processor time, or half of it on a slow host, where the kernel's own work that is charged
/// to this thread takes much time.
func requireSleep(_ what: String, _ body: () throws -> Void) throws {
  let watch = Stopwatch()
  let before = threadCPUTime()
  try body()
  let burned = threadCPUTime() - before
  let elapsed = watch.elapsed
  try require(elapsed >= Times.idle, "\(what): ended after \(elapsed), before \(Times.idle)")
  // The cost of the call itself, which is higher on a slow host.
  let fixed = Duration.milliseconds(2) * SlowHost.factor
  let share = SlowHost.factor > 1 ? 2 : 20
  try require(burned < elapsed / share + fixed, "\(what): used \(burned) of processor time in \(elapsed)")
}
