import Glibc
import TestSupport

/// Names the part that a new process runs.
let partVariable = "SOCKETKIT_ACTIVATED_PART"

enum ActivationOutcome: Equatable { case passed, failed(String) }

/// Runs a part of ``ActivatedProcess``, or of another suite, in a new process that has these descriptors and variables.
func activate(
  _ part: String, _ descriptors: [Int32], names: String?, count: String? = nil, process: String = "$$",
  suite: String = "ActivatedProcess"
) throws -> ActivationOutcome {
  // The list of actions has its own copies of the numbers, and exists until the end of this function.
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  // First out of the way of 3, 4, …, then there; what was copied away is CLOEXEC.
  let moved = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
  defer { for number in moved { close(number) } }
  for (index, number) in moved.enumerated() {
    unsafe posix_spawn_file_actions_adddup2(&actions, number, 3 + Int32(index))
  }
  var output: [Int32] = [-1, -1]
  // The kernel writes the two numbers during the call.
  let made = unsafe pipe(&output)
  precondition(made == 0)
  _ = fcntl(output[0], F_SETFD, FD_CLOEXEC)
  unsafe posix_spawn_file_actions_adddup2(&actions, output[1], 1)
  unsafe posix_spawn_file_actions_adddup2(&actions, output[1], 2)
  unsafe posix_spawn_file_actions_addclose(&actions, output[1])
  let variables =
    "LISTEN_PID=\(process) LISTEN_FDS=\(count ?? String(descriptors.count)) "
    + (names.map { "LISTEN_FDNAMES=\($0) " } ?? "")
  let program = target(ofLink: "/proc/self/exe") ?? ""
  let line =
    "export \(partVariable)=\(part); \(variables) "
    + "exec \(program) --testing-library swift-testing --filter '\\.\(suite)/'"
  let script = ["sh", "-c", line]
  // The words exist until the end of this function. The new process has its own copies of them.
  var words = unsafe script.map { unsafe strdup($0) } + [nil]
  defer { unsafe words.forEach { unsafe free($0) } }
  var child: pid_t = 0
  let failure = unsafe posix_spawn(&child, "/bin/sh", &actions, nil, &words, environ)
  precondition(failure == 0)
  close(output[1])
  var text: [UInt8] = []
  while case let bytes = Files.read(output[0], atMost: 4096), !bytes.isEmpty { text += bytes }
  close(output[0])
  var status: Int32 = 0
  // The kernel writes the status during the call.
  unsafe waitpid(child, &status, 0)
  let log = String(decoding: text, as: UTF8.self)
  // Exit status 0 alone could also mean that the part was not found.
  return status == 0 && log.contains("activated part \(part) ran") ? .passed : .failed(log)
}

/// Says in the new process that the part ran.
func reportPart(_ part: String) {
  print("activated part \(part) ran")
  fflush(nil)
}
