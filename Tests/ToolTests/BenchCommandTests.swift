import TestSupport
import Testing

/// The built command as a process: what it says and what it ends with.
@Suite(.exclusive) struct BenchCommandTests {
  private static let short = ["--load", "pingpong", "--transport", "unix", "--messages", "20", "--pairs", "1"]

  /// - Parameter rest: redirections of the shell; what is said on standard error is read too unless they say otherwise.
  private func bench(_ words: [String], _ rest: String = "2>&1") throws -> (text: String, status: Int32) {
    let tool = BuiltProduct.path("socketkit")
    #expect(isExecutable(tool), "not built: \(tool)")
    let process = try #require(PeerProcess(["sh", "-c", "exec \"$@\" \(rest)", "sh", tool, "bench"] + words))
    let (output, status) = process.finish()
    return (String(decoding: output, as: UTF8.self), status)
  }

  @Test func whatIsNotMeasuredIsAFailure() throws {
    for words in [
      ["--poller", "io_uring"], ["--load", "fan", "--transport", "udp"], ["--load", "udp-echo", "--transport", "tcp"],
      ["--load", "idle", "--transport", "udp"], ["--load", "hold", "--poller", "io_uring"],
    ] {
      let (text, status) = try bench(words)
      #expect(status == 1, "\(words)")
      #expect(text.contains("failed: nothing was measured\n"), "\(text)")
      #expect(text.contains("\nRequested but not measured: \(words.last == "udp" ? "udp" : words.last ?? "")\n"))
    }
  }

  @Test func aNamedPollerThatIsNotBuiltInIsAFailureBesideOthers() throws {
    let (text, status) = try bench(Self.short + ["--poller", "epoll,io_uring"])
    #expect(status == 1 && text.hasSuffix("\nRequested but not measured: io_uring\n"), "\(text)")
    // Not named, it is only said.
    let all = try bench(Self.short)
    #expect(all.status == 0 && all.text.contains("any        io_uring  unavailable: not implemented in"), "\(all.text)")
  }

  @Test(arguments: [[], ["--json"]]) func aFullDiskIsAFailure(_ json: [String]) throws {
    let (text, status) = try bench(Self.short + ["--poller", "epoll"] + json, "2>&1 >/dev/full")
    #expect(text == "socketkit bench: writing to standard output: No space left on device\n" && status == 1)
  }

  @Test func closedStreamsDoNotReachTheServers() throws {
    let words = Self.short + ["--poller", "epoll"]
    for rest in ["<&-", "2>&-", "<&- 2>&-"] {
      let (text, status) = try bench(words, rest)
      #expect(status == 0 && text.contains("\nunix       epoll   ours "), "\(rest): \(text)")
    }
    let (text, status) = try bench(words, "2>&1 >&-")
    #expect(text == "socketkit bench: standard output cannot be written to: Bad file descriptor\n" && status == 1)
  }

  @Test func pinningDoesNotChangeTheConditions() throws {
    let free = try bench(Self.short + ["--poller", "epoll"])
    let pinned = try bench(Self.short + ["--poller", "epoll", "--pin", "0,0"])
    func line(_ text: String) -> Substring? { text.split(separator: "\n").first { $0.hasPrefix("cores ") } }
    #expect(line(free.text) != nil && line(free.text) == line(pinned.text))
    #expect(pinned.status == 0 && pinned.text.contains("\nnote        one core for both sides\n"), "\(pinned.text)")
    let refused = try bench(Self.short + ["--pin", "0,1023"])
    #expect(refused.status == 1)
    #expect(
      refused.text.hasPrefix("socketkit bench: --pin: this process is not permitted to use cpu 1023; "),
      "\(refused.text)")
  }

  /// Of 20 messages no percentile but the middle is known, and no rate.
  @Test func aShortRunSaysWhatItDoesNotKnow() throws {
    let (text, status) = try bench(Self.short + ["--poller", "epoll"])
    #expect(status == 0)
    // Rate and cpu depend on the machine.
    let row = #/\nunix +epoll +ours +[0-9.]+ +- +- +- +[0-9]+ .* - +- +[0-9.]+ +[^ ]+\n/#
    #expect(text.firstMatch(of: row) != nil, "\(text)")
    #expect(text.contains("\n-: the run is too short for this number. "))
  }

  /// strace(1) traces the servers already, so that nobody else can.
  @Test func whatCannotBeTracedIsSaid() throws {
    #expect(PeerProcess.exists("strace") || !mustBeAvailable, "unavailable: strace is not installed")
    guard PeerProcess.exists("strace") else { return }
    let tool = BuiltProduct.path("socketkit")
    // Of fewer than 100 messages the calls are not counted.
    let words = [
      "strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=none", tool, "bench", "--load", "pingpong", "--transport",
      "unix", "--poller", "epoll", "--messages", "200", "--pairs", "1",
    ]
    let (output, status) = try #require(PeerProcess(words)).finish()
    let text = String(decoding: output, as: UTF8.self)
    #expect(status == 0)
    #expect(
      text.contains("\ncalls of 2 servers not compared with the kernel's count: no permission to trace them.\n"),
      "\(text)")
  }

  @Test(.enabled(if: !ThreadSanitizer.isOn, ThreadSanitizer.sends)) func datagramsAreAsManyAsAskedFor() throws {
    let (text, status) = try bench(
      ["--load", "udp-echo", "--messages", "10", "--size", "64", "--pairs", "1", "--poller", "poll", "--json"])
    #expect(status == 0)
    #expect(text.matches(of: /"datagrams": 10\n/).count == 11 && !text.contains("\"datagrams\": 128"), "\(text)")
    #expect(text.matches(of: /"poller": "poll",\n *"way"/).count == 11)
  }
}
