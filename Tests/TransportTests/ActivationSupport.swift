import Glibc

/// Names the part that a new process runs.
let partVariable = "SOCKETKIT_ACTIVATED_PART"

enum ActivationOutcome: Equatable { case passed, failed(String) }

/// Runs a part of ``ActivatedProcess``, or of another suite, in a new process that has these descriptors and variables.
func activate(
  _ part: String, _ descriptors: [Int32], names: String?, count: String? = nil, process: String = "$$",
  suite: String = "ActivatedProcess"
) throws -> ActivationOutcome {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  // First out of the way of 3, 4, …, then there; what was copied away is CLOEXEC.
  let moved = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
  defer { for number in moved { close(number) } }
  for (index, number) in moved.enumerated() { posix_spawn_file_actions_adddup2(&actions, number, 3 + Int32(index)) }
  var output: [Int32] = [-1, -1]
  precondition(pipe(&output) == 0)
  _ = fcntl(output[0], F_SETFD, FD_CLOEXEC)
  posix_spawn_file_actions_adddup2(&actions, output[1], 1)
  posix_spawn_file_actions_adddup2(&actions, output[1], 2)
  posix_spawn_file_actions_addclose(&actions, output[1])
  let variables =
    "LISTEN_PID=\(process) LISTEN_FDS=\(count ?? String(descriptors.count)) "
    + (names.map { "LISTEN_FDNAMES=\($0) " } ?? "")
  var buffer = [CChar](repeating: 0, count: 4096)
  let length = readlink("/proc/self/exe", &buffer, 4095)
  let program = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let line =
    "export \(partVariable)=\(part); \(variables) "
    + "exec \(program) --testing-library swift-testing --filter '\\.\(suite)/'"
  let script = ["sh", "-c", line]
  var words = script.map { strdup($0) } + [nil]
  defer { for word in words { free(word) } }
  var child: pid_t = 0
  precondition(posix_spawn(&child, "/bin/sh", &actions, nil, &words, environ) == 0)
  close(output[1])
  var text: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while case let count = read(output[0], &chunk, chunk.count), count > 0 { text += chunk.prefix(count) }
  close(output[0])
  var status: Int32 = 0
  waitpid(child, &status, 0)
  let log = String(decoding: text, as: UTF8.self)
  // Exit status 0 alone could also mean that the part was not found.
  return status == 0 && log.contains("activated part \(part) ran") ? .passed : .failed(log)
}

/// Says in the new process that the part ran.
func reportPart(_ part: String) {
  print("activated part \(part) ran")
  fflush(nil)
}
