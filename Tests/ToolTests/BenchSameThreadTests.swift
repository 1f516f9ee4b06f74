import TestSupport
import Testing

@testable import SocketKitTool

/// The load without a server process: what lies between its two ends has the fault.
@Suite(.exclusive) struct BenchSameThreadTests {
  private func trial(_ fault: String, after: Int = 6, limit: Double = 30) throws -> BenchTrial {
    let relay = BenchRelay(fault, after: after)
    let trial = try BenchTrial(
      ["--load", "same-thread", "--transport", "tcp", "--poller", "epoll", "--pairs", "1", "--messages", "40"],
      limit: limit, relay: { try relay.address(for: $0) })
    relay.join()
    return trial
  }

  @Test func anHonestRelayPasses() throws {
    let trial = try trial("none")
    #expect(trial.status == 0 && trial.failures == [], "\(trial.text)")
  }

  // C comes first and fails, so that ours is not measured.
  @Test(arguments: [
    ("dies", "C epoll: the loop in C: Connection reset by peer"), ("lies", "C epoll: the loop in C: Bad message"),
    ("doubles", "C epoll: the loop in C: Bad message"), ("stale", "C epoll: the loop in C: Bad message"),
  ])
  func aFaultOnTheWay(_ fault: String, text: String) throws {
    let trial = try trial(fault)
    #expect(trial.status == 1 && trial.failures.count == 1, "\(trial.text)")
    #expect(trial.failures.allSatisfy { $0.hasSuffix("failed: \(text)") }, "\(trial.text)")
  }

  @Test(arguments: ["drops", "stalls"]) func nothingComesBack(_ fault: String) throws {
    let trial = try trial(fault, limit: 0.1)
    #expect(trial.status == 1 && trial.failures.count == 1, "\(trial.text)")
    #expect(trial.failures.allSatisfy { $0.contains("C epoll: not finished within 0.1 s") }, "\(trial.text)")
  }

  @Test func theLastMessageComesTwice() throws {
    // 4 of warm-up before 40.
    let trial = try trial("doubles", after: 44)
    #expect(trial.status == 1 && trial.failures.count == 1, "\(trial.text)")
    #expect(
      trial.failures.allSatisfy { $0.hasSuffix("C epoll: 64 more bytes arrived than were sent") }, "\(trial.text)")
  }

  /// The same for our loop alone, which the command would not come to.
  @Test(arguments: [
    ("dies", "read: stream ended early"), ("lies", "the reply to message 6 differs from the message that was sent"),
    ("doubles", "the reply to message 7 differs from the message that was sent"),
    ("stale", "the reply to message 6 differs from the message that was sent"),
    ("drops", "not finished within 0.1 s, so the server was killed: "),
    ("stalls", "not finished within 0.1 s, so the server was killed: "),
  ])
  func ours(_ fault: String, text: String) throws {
    let relay = BenchRelay(fault)
    let isShort = text.hasPrefix("not finished")
    var message = ""
    do {
      _ = try TimeLimit.run(seconds: isShort ? 0.1 : 30) { limit in
        let setting = RunSetting(
          program: ServerProgram(), cpu: nil, limit: limit, relay: { try relay.address(for: $0) })
        return try SameThreadTask(kind: .swift, size: 64, messages: 40, warmUp: 4, setting: setting)
          .run(over: .tcp, with: .epoll)
      }
    } catch {
      message = "\(error)"
    }
    relay.join()
    #expect(message.hasPrefix(text), "\(message)")
  }
}
