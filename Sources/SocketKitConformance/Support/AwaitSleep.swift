internal import SocketKitCore

/// Waits until all other threads of this process sleep, or until a time limit has passed. A spinning thread is always
/// runnable, even if a busy host rarely runs it.
func awaitSleep() {
  let deadline = Deadline.after(.milliseconds(500))
  repeat { pause(.milliseconds(5)) } while runnableThreads() > 1 && !deadline.hasPassed
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
