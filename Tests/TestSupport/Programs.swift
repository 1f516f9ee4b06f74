internal import Glibc

/// Starts a program, and returns the number of its process; nil when it cannot be started.
///
/// - Parameter words: the program, which is looked for in PATH, and its arguments.
/// - Parameter descriptors: numbers of the new process, and what they are copies of here; nil is /dev/null for reading.
///   They are made in this order. The new process has nothing else that is CLOEXEC here.
/// - Parameter withoutSignalMask: whether the new process blocks no signal. Otherwise it blocks those of this thread:
///   the threads that run tests block many.
public func startProgram(
  _ words: [String], _ descriptors: [(number: Int32, source: Int32?)], withoutSignalMask: Bool = false
) -> Int32? {
  // Every function uses its arguments only until it returns, or copies them. The actions, the attributes and the words
  // are freed at the end. A null pointer ends the words.
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  for (number, source) in descriptors {
    if let source {
      unsafe posix_spawn_file_actions_adddup2(&actions, source, number)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDONLY, 0)
    }
  }
  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  if withoutSignalMask {
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
  }
  var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
  defer { unsafe arguments.forEach { unsafe free($0) } }
  var process: pid_t = 0
  let failure = unsafe posix_spawnp(&process, words[0], &actions, &attributes, &arguments, environ)
  return failure == 0 ? process : nil
}
