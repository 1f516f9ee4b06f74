internal import SocketKitCore

/// Waits until all other threads of this process sleep, or until a time limit has passed. A rule calls this function
/// before one thread acts on another that must already be waiting. On a busy host, a thread may need a long time to
/// reach its wait. A spinning thread is always runnable, even if a busy host rarely runs it.
///
/// The function checks twice, because a thread may sleep for a moment before it reaches its wait.
/// - Parameter sleeps: states whether the other threads sleep while they wait. If false, the function only pauses.
func awaitSleep(if sleeps: Bool = true) {
  if !sleeps { return pause(Times.settle) }
  let deadline = Deadline.after(.milliseconds(500))
  var checks = 0
  while checks < 2 && !deadline.hasPassed {
    pause(.milliseconds(5))
    checks = runnableThreads() > 1 ? 0 : checks + 1
  }
}

/// Returns the number of running or runnable threads of this process, including this one (proc_pid_stat(5)).
private func runnableThreads() -> Int {
  guard let threads = readFolder("/proc/self/task")?.names else { return 0 }
  return threads.count { name in
    // The thread's name is in parentheses and may contain any character; the state follows it.
    guard Int32(name) != nil, let bytes = readFront(of: "/proc/self/task/\(name)/stat", upTo: 512),
      let end = bytes.lastIndex(of: UInt8(ascii: ")")), end + 2 < bytes.endIndex
    else { return false }
    return bytes[end + 2] == UInt8(ascii: "R")
  }
}

/// Repeats an attempt until its result is conclusive, and doubles the time for each repetition. On a busy host, an
/// action that must happen within the time may come too late, and the attempt then proves nothing.
/// - Parameter attempt: returns whether its result is conclusive.
func repeatUntilConclusive(from time: Duration, _ attempt: (Duration) throws -> Bool) throws {
  var time = time
  while try !attempt(time) {
    try require(time < Times.limit, "the host gave the rule too little CPU for a result within \(time)")
    time *= 2
  }
}
