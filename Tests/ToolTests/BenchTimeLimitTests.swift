import Glibc
import SocketKitToolSupport
import TestSupport
import Testing

@testable import SocketKitTool

/// The time that a run may take, without a server.
@Suite(.exclusive) struct BenchTimeLimitTests {
  @Test func whatEndsInTimeGivesItsValueOrError() throws {
    #expect(try TimeLimit.run(seconds: 30) { limit in limit.seconds } == 30)
    #expect(throws: ToolError("no")) { try TimeLimit.run(seconds: 30) { (_) throws -> Int in throw ToolError("no") } }
  }

  /// A client that does not notice the end keeps nobody waiting.
  @Test func aClientThatHangsIsLeftBehind() {
    let began = milliseconds()
    let text =
      "not finished within 0.1 s, so the server was killed; the client's thread did not end and may use processor time "
      + "during the next runs"
    #expect(throws: ToolError(text)) {
      try TimeLimit.run(seconds: 0.1, grace: 0.05) { _ in sleep(milliseconds: 400) }
    }
    #expect(milliseconds() - began >= 150)
    // Its thread holds a descriptor to its end.
    sleep(milliseconds: 400)
  }
}
