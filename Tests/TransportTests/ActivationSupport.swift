import Glibc
import TestSupport
import Testing

/// Names the part that a new process runs.
let partVariable = "SOCKETKIT_ACTIVATED_PART"

enum ActivationOutcome: Equatable { case passed, failed(String) }

/// Runs a part of ``ActivatedProcess``, or of another suite, in a new process that has these descriptors and variables.
func activate(
  _ part: String, _ descriptors: [Int32], names: String?, count: String? = nil, process: String = "$$",
  suite: String = "ActivatedProcess"
) throws -> ActivationOutcome {
  // First out of the way of 3, 4, …, then there; what was copied away is CLOEXEC.
  let moved = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
  defer { for number in moved { close(number) } }
  let output = CLibrary.pipe()
  let variables =
    "LISTEN_PID=\(process) LISTEN_FDS=\(count ?? String(descriptors.count)) "
    + (names.map { "LISTEN_FDNAMES=\($0) " } ?? "")
  let program = target(ofLink: "/proc/self/exe") ?? ""
  let line =
    "export \(partVariable)=\(part); \(variables) "
    + "exec \(program) --testing-library swift-testing --filter '\\.\(suite)/'"
  // The output first: its number may be one of those that the descriptors get.
  let given = moved.enumerated().map { (number: 3 + Int32($0), source: Optional($1)) }
  let child = startProgram(["sh", "-c", line], [(1, output.writeEnd), (2, output.writeEnd)] + given)
  close(output.writeEnd)
  var text: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while case let count = CLibrary.read(output.readEnd, into: &chunk), count > 0 { text += chunk.prefix(count) }
  close(output.readEnd)
  var status: Int32 = 0
  // The kernel writes the status during the call.
  unsafe waitpid(try #require(child), &status, 0)
  let log = String(decoding: text, as: UTF8.self)
  // Exit status 0 alone could also mean that the part was not found.
  return status == 0 && log.contains("activated part \(part) ran") ? .passed : .failed(log)
}

/// Says in the new process that the part ran.
func reportPart(_ part: String) {
  print("activated part \(part) ran")
  fflush(nil)
}
