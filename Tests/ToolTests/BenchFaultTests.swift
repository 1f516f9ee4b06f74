import Glibc
import SocketKitToolSupport
import TestSupport
import Testing

@testable import SocketKitTool

/// Each load, against servers with each fault: the row fails, says why, and so does the command.
@Suite(.exclusive) struct BenchFaultTests {
  /// Loads over a server process, as command lines with few messages.
  enum Load: String, CaseIterable, Sendable {
    case pingpong, datagramPingpong, fan, hold, idle, udpEcho

    var words: [String] {
      switch self {
      case .pingpong: ["--load", "pingpong", "--transport", "tcp", "--messages", "40"]
      case .datagramPingpong: ["--load", "pingpong", "--transport", "udp", "--messages", "40"]
      case .fan: ["--load", "fan", "--transport", "unix", "--connections", "4", "--messages", "80"]
      case .hold: ["--load", "hold", "--transport", "unix", "--connections", "4", "--messages", "80"]
      case .idle: ["--load", "idle", "--transport", "tcp", "--connections", "8"]
      case .udpEcho: ["--load", "udp-echo", "--transport", "udp", "--messages", "40", "--size", "64"]
      }
    }

    var isOfDatagrams: Bool { self == .datagramPingpong || self == .udpEcho }

    func trial(
      _ fault: String, after: Int = 6, limit: Double = 30, checksCalls: Bool = false
    ) throws -> BenchTrial {
      // A run of fewer than 100 messages shows no number of calls.
      let words = checksCalls ? words.map { $0 == "40" ? "200" : $0 } : words
      return try BenchTrial(
        words + ["--poller", "epoll", "--pairs", "1"], fault: fault, after: after, limit: limit,
        checksCalls: checksCalls)
    }
  }

  @Test(arguments: Load.allCases.filter { $0 != .idle || !ThreadSanitizer.isOn }) func anHonestServerPasses(
    _ load: Load
  )
    throws
  {
    let trial = try load.trial("none")
    #expect(trial.status == 0 && trial.failures == [], "\(trial.text)")
    #expect(trial.sections.count == 1 && trial.sections[0].measured == [load.words[3], "epoll"])
  }

  @Test(arguments: Load.allCases) func aServerThatDies(_ load: Load) throws {
    try expectFailure(load.trial("dies"), "the server was killed by signal 9")
  }

  @Test func aServerThatExits() throws {
    try expectFailure(Load.pingpong.trial("exits"), "the server exited with status 3: ")
  }

  @Test(arguments: Load.allCases) func aServerThatLies(_ load: Load) throws {
    let text =
      switch load {
      case .datagramPingpong: "the reply to datagram 6 differs from the datagram that was sent"
      case .udpEcho: "the contents of a returned datagram have changed"
      default: "received other bytes than it sent, as message "
      }
    try expectFailure(load.trial("lies"), text)
  }

  @Test(arguments: Load.allCases) func aServerThatDoubles(_ load: Load) throws {
    switch load {
    case .datagramPingpong:
      try expectFailure(load.trial("doubles"), "the reply to datagram 7 differs from the datagram that was sent")
    case .udpEcho: try expectFailure(load.trial("doubles"), "was returned twice or was never sent")
    case .idle:
      // Its second message is its last.
      try expectFailure(load.trial("doubles", after: 16), "received 64 bytes more than it sent")
    // Other bytes, or more, as it happens.
    default: try expectFailure(load.trial("doubles"), " bytes than it sent, ")
    }
  }

  /// Nothing follows that would meet the second reply.
  @Test func aServerThatDoublesTheLastReplyOnly() throws {
    // 4 of warm-up before 40.
    try expectFailure(Load.pingpong.trial("doubles", after: 44), "connection 0 received 64 bytes more than it sent")
    try expectFailure(
      Load.datagramPingpong.trial("doubles", after: 44),
      "the reply to datagram 45 differs from the datagram that was sent")
    // 8 of warm-up before 40.
    try expectFailure(Load.udpEcho.trial("doubles", after: 48), "datagram 48 was returned twice or was never sent")
  }

  @Test(arguments: Load.allCases) func aServerThatSendsAnOldReply(_ load: Load) throws {
    let text =
      switch load {
      case .datagramPingpong: "the reply to datagram 6 differs from the datagram that was sent"
      case .udpEcho: "datagram 5 was returned twice or was never sent"
      default: "received other bytes than it sent, as message "
      }
    // In idle the first round has no reply that is older.
    try expectFailure(load.trial("stale", after: load == .idle ? 9 : 6), text)
  }

  @Test(arguments: Load.allCases) func aServerThatDrops(_ load: Load) throws {
    try expectFailure(load.trial("drops", limit: 0.1), "not finished within 0.1 s, so the server was killed")
  }

  @Test(arguments: Load.allCases) func aServerThatStalls(_ load: Load) throws {
    try expectFailure(load.trial("stalls", limit: 0.1), "not finished within 0.1 s, so the server was killed")
  }

  @Test func whatIsMissingIsNamed() throws {
    try expectFailure(
      Load.fan.trial("drops", after: 84, limit: 1),
      "1 of 4 connections wait for a reply; the first is connection ")
  }

  @Test func aServerThatNeverEndsAConnection() throws {
    try expectFailure(Load.fan.trial("holds", limit: 1), "the server has not closed 4 of 4 connections")
  }

  @Test func aServerThatNeverListens() throws {
    try expectFailure(Load.pingpong.trial("mute", limit: 0.1), "the server did not start: it was killed by signal 9")
  }

  @Test func aServerThatDoesNotExist() throws {
    var options = try BenchOptions(Arguments(Load.pingpong.words + ["--poller", "epoll", "--pairs", "1"]))
    options.program = ServerProgram(path: "/nowhere", words: ["nowhere"])
    var run = BenchRun(options) { _ in }
    #expect(try run.run() == 1)
    #expect(run.sections[0].text.contains("starting the server /nowhere: No such file or directory"))
  }

  @Test func aServerThatDiesWhileNothingHappens() throws {
    try expectFailure(Load.idle.trial("dies-idle", after: 8), "the server was killed by signal 9")
  }

  @Test(.enabled(if: !ThreadSanitizer.isOn, ThreadSanitizer.wakes)) func aServerThatWakesInsideItsWait() throws {
    let trial = try Load.idle.trial("wakes")
    #expect(trial.status == 1 && trial.failures.count == 2, "\(trial.text)")
    #expect(trial.failures.allSatisfy { $0.hasSuffix("FAILED: the server woke up inside its wait") }, "\(trial.text)")
  }

  @Test(.enabled(if: !ThreadSanitizer.isOn, ThreadSanitizer.wakes)) func aServerThatTakesTheCPU() throws {
    let trial = try Load.idle.trial("burns")
    #expect(trial.status == 1 && trial.failures.count == 2, "\(trial.text)")
    #expect(trial.failures.allSatisfy { $0.hasSuffix("FAILED: the server did not sleep") }, "\(trial.text)")
  }

  /// The kernel knows better how many calls a server makes.
  @Test(arguments: [Load.pingpong, .udpEcho])
  func aServerThatMiscountsItsCalls(_ load: Load) throws {
    let trial = try load.trial("miscounts", checksCalls: true)
    #expect(trial.status == 1, "\(trial.text)")
    #expect(trial.failures.count == (load == .udpEcho ? 2 : 1), "\(trial.text)")
    let text = #/the server counted [0-9]+ system calls, but the kernel counted [0-9]+/#
    #expect(trial.failures.allSatisfy { $0.contains(text) }, "\(trial.text)")
    let honest = try load.trial("none", checksCalls: true)
    #expect(
      honest.text.contains(
        "\nIn a short run of each server under ptrace(2), the kernel counted the same number of calls.\n"))
  }

  @Test func aServerThatDoesNotHoldThemAll() throws {
    try expectFailure(Load.hold.trial("peakless"), "FAILED: not all connections were open at the same time", count: 2)
  }

  /// A row that is given up does not keep the next one from being measured, and leaves no process.
  @Test func theRowsAfterAFailureAreMeasured() throws {
    let trial = try BenchTrial(
      ["--load", "pingpong", "--transport", "tcp,unix", "--poller", "epoll", "--pairs", "1", "--messages", "40"],
      fault: "stalls", only: "tcp", limit: 1)
    #expect(trial.status == 1 && trial.failures.count == 1, "\(trial.text)")
    #expect(trial.text.matches(of: #/\nunix +epoll +(ours|C epoll|C again) .* [0-9]+ /#).count == 3, "\(trial.text)")
    errno = 0
    #expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD)
  }

  @Test func aFailureIsInTheJSONToo() throws {
    let words = Load.pingpong.words + ["--poller", "epoll", "--pairs", "1", "--json"]
    let trial = try BenchTrial(words, fault: "lies")
    #expect(trial.status == 1)
    #expect(
      trial.text.contains("\"failed\": \"C epoll: connection 0 received other bytes than it sent, as message 6\""))
    #expect(trial.text.hasSuffix("  \"failed\": true,\n  \"notMeasured\": []\n}\n"), "\(trial.text)")
  }

  private func expectFailure(
    _ trial: BenchTrial, _ text: String, count: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let isDatagramEcho = trial.text.contains("udp-echo: ")
    #expect(trial.status == 1, "\(trial.text)", sourceLocation: sourceLocation)
    // C, ours, and C again each have a row there.
    #expect(
      trial.failures.count == count ?? (isDatagramEcho ? 3 : 1), "\(trial.text)", sourceLocation: sourceLocation)
    #expect(trial.failures.allSatisfy { $0.contains(text) }, "\(trial.text)", sourceLocation: sourceLocation)
  }
}
