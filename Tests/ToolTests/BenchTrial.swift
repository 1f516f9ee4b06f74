import Glibc
import SocketKitToolSupport
import TestSupport
import Testing

@testable import SocketKitTool

/// A run of `bench` in this process, with servers of the test's choice.
struct BenchTrial {
  let status: Int32
  let text: String
  let sections: [Section]

  /// - Parameters:
  ///   - words: a command line.
  ///   - fault: of the servers; they show it from the `after`th message on, over the transport `only`.
  ///   - checksCalls: whether the kernel counts system calls too, which takes a while.
  ///   - limit: seconds for a run; short where the run must not end by itself.
  init(
    _ words: [String], fault: String = "none", after: Int = 6, only: String = "all", limit: Double = 30,
    checksCalls: Bool = false, relay: Relay? = nil
  ) throws {
    var options = try BenchOptions(Arguments(words))
    options.program = ServerProgram(
      path: BuiltProduct.path("FaultyServer"), words: ["faulty-server", fault, "\(after)", only])
    options.relay = relay
    options.checksCalls = checksCalls
    options.limit = limit
    options.idleMilliseconds = 100
    options.settlingMilliseconds = fault == "none" ? 2000 : 100
    options.ways = [.plain]
    let output = Output()
    var run = BenchRun(options) { output.text += $0 }
    status = try run.run()
    sections = run.sections
    text = output.text
  }

  private final class Output { var text = "" }

  /// The rows of the tables that failed.
  var failures: [String] {
    text.split(separator: "\n").filter { $0.contains("failed: ") || $0.contains("FAILED") }.map(String.init)
  }
}
