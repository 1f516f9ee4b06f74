import SocketKit
import TestSupport
import Testing

/// The built command as a process.
enum VscpProcess {
  private static let tool = BuiltProduct.path("socketkit")

  /// A vscp whose talk goes to a file; `under` is a command that runs it, such as strace.
  static func start(_ words: [String], log: String, under: [String] = [], _ rest: String = "") throws -> PeerProcess {
    #expect(isExecutable(tool), "not built: \(tool)")
    let shell = ["sh", "-c", "log=$1; shift; exec \"$@\" 2>\"$log\" \(rest)", "sh", log]
    return try #require(PeerProcess(shell + under + [tool, "vscp"] + words))
  }

  static func address(in log: String, of folder: TemporaryFolder) throws -> String {
    for _ in 0..<2000 {
      let text = String(decoding: folder.read(log) ?? [], as: UTF8.self)
      for line in text.split(separator: "\n") {
        if let mark = line.firstRange(of: "listening: ") { return String(line[mark.upperBound...]) }
      }
      sleep(milliseconds: 10)
    }
    throw SocketError(code: .timedOut, .listen).with(address: log)
  }

  /// The command that runs another with some of its system calls slowed down or failed: `fsync:delay_enter=1s`.
  static func injecting(_ what: String, path: String? = nil) -> [String] {
    let call = what.prefix { $0 != ":" }
    let only = path.map { ["-P", $0] } ?? []
    return ["strace", "-f", "-qqq", "-o", "/dev/null"] + only + ["-e", "trace=\(call)", "-e", "inject=\(what)"]
  }
}
