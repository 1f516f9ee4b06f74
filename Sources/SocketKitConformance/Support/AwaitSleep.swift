internal import SocketKitCore
#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Waits until all other threads of this process sleep, or until a time limit has passed. A spinning thread is always
/// runnable, even if a busy host rarely runs it.
func awaitSleep() {
  let deadline = Deadline.after(.milliseconds(500))
  repeat { pause(.milliseconds(5)) } while runnableThreads() > 1 && !deadline.hasPassed
}

/// Returns the number of running or runnable threads of this process, including this one (proc_pid_stat(5)).
private func runnableThreads() -> Int {
  guard let folder = opendir("/proc/self/task") else { return 0 }
  defer { closedir(folder) }
  var count = 0
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    let file = open("/proc/self/task/\(name)/stat", O_RDONLY | O_CLOEXEC)
    if file < 0 { continue }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let length = read(file, &bytes, bytes.count)
    // The thread's name is in parentheses and may contain any character; the state follows it.
    guard length > 0, let end = bytes[..<length].lastIndex(of: UInt8(ascii: ")")), end + 2 < length else { continue }
    if bytes[end + 2] == UInt8(ascii: "R") { count += 1 }
  }
  return count
}
