import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// The command line against what mdlayher's vscp and Go's package flag do.
@Suite(.exclusive) struct VscpCommandLineTests {
  private static let defaults = """
      -c uint
        \tsend only: context ID of the remote VM socket
      -h\tdisplay a checksum hash of the input or output data after transfer completes
      -p uint
        \t- receive: port ID to listen on (random port by default)
        \t\t- send: port ID to connect to
      -r\treceive files from another instance of vscp
      -s\tsend files to another instance of vscp
      -t duration
        \treceive only: timeout for read operations (default: no timeout)
      -v\tenable verbose logging to stderr

    """

  /// How a command line ends that is not to be run. Nothing here runs one, right or wrong: some name vsock.
  private func run(_ words: [String]) -> (status: Int32, text: String) {
    let talk = Talk()
    do throws(VscpOptions.Ending) {
      return (-1, "taken: \(try VscpOptions(words))")
    } catch {
      return (VscpCommand.end(error, talk.console()), talk.text)
    }
  }

  @Test func withoutARoleTheFlagsArePrinted() {
    #expect(run([]) == (0, Self.defaults))
    #expect(run(["-v"]) == (0, Self.defaults))
    #expect(run(["file", "-r"]) == (0, Self.defaults))
  }

  @Test(arguments: [
    (["-r", "-s"], "specify only one of \"-r\" for receive or \"-s\" for send"),
    (["-r", "-c", "3"], "context ID flag \"-c\" not valid for receive operation"),
    (["--r", "--s=t"], "specify only one of \"-r\" for receive or \"-s\" for send"),
  ])
  func wrongUseIsFatal(_ words: [String], _ text: String) { #expect(run(words) == (1, "TIME vscp: \(text)\n")) }

  @Test(arguments: [
    (["-x"], "flag provided but not defined: -x"), (["-r", "--long=3"], "flag provided but not defined: -long"),
    (["-s", "-p"], "flag needs an argument: -p"), (["-rv"], "flag provided but not defined: -rv"),
    (["-p", "x"], "invalid value \"x\" for flag -p: parse error"),
    (["-p="], "invalid value \"\" for flag -p: parse error"),
    (["-p", "-1"], "invalid value \"-1\" for flag -p: parse error"),
    (["-p", "18446744073709551616"], "invalid value \"18446744073709551616\" for flag -p: value out of range"),
    (["-s", "-p", "4294967296"], "invalid value \"4294967296\" for flag -p: value out of range"),
    (["-s", "-c", "4294967296"], "invalid value \"4294967296\" for flag -c: value out of range"),
    (["-t", "5"], "invalid value \"5\" for flag -t: parse error"),
    (["-v=maybe"], "invalid boolean value \"maybe\" for -v: parse error"), (["---r"], "bad flag syntax: ---r"),
    (["-=r"], "bad flag syntax: -=r"),
  ])
  func wrongFlagsAreExplainedAsGoDoes(_ words: [String], _ text: String) {
    #expect(run(words) == (2, "\(text)\nUsage of vscp:\n\(Self.defaults)"))
  }

  @Test(arguments: [
    (["--to", "tcp://x:1", "--listen", "unix:/x"], "--to and --listen cannot be combined"),
    (["--to", "tcp://x:1", "-p", "3"], "-c and -p cannot be combined with --to or --listen"),
    (["--to", "localhost:80", "f"], "There is no transport \"localhost\""),
    (["--to", "vsock:4711"], "may be a context ID or a port"),
    (["--listen", "tcp://*:99999"], "is not a port"), (["-s", "--verify", "-t", "-1s", "-p", "1"], "-t is negative"),
    (["-s", "-p", "1", "a", "b"], "sending several files requires --verify"),
    (["-r", "a", "b"], "a receiver accepts only one FILE or directory"),
    (["-s", "-p", "1", "--verify", "--hidden"], "--hidden is valid only for receiving"),
    (["-r", "--hidden"], "--hidden is valid only for receiving"),
  ])
  func wrongCombinationsAreExplained(_ words: [String], _ text: String) {
    let (status, talk) = run(words)
    #expect(status == 2 && talk.hasPrefix("vscp: ") && talk.hasSuffix("see socketkit vscp --help\n"))
    #expect(talk.contains(text), "\(talk)")
  }

  @Test func rightLinesSayWhatTheyMean() throws {
    let send = try VscpOptions(["-s", "-c", "0x3", "-p=1_024", "-v", "-h", "--", "-file"])
    #expect(send.role == .send && send.isClassic && send.isVerbose && send.showsChecksum && send.files == ["-file"])
    #expect(send.meeting == .connect(try .init(parsing: "vsock://3:1024"), shown: "3.1024"))
    let receive = try VscpOptions(["-r", "-t", "1m30.5s", "-v=false"])
    #expect(receive.timeout == .milliseconds(90500) && !receive.isVerbose && receive.files.isEmpty)
    #expect(receive.meeting == .listen(try .init(parsing: "vsock://any:*"), shown: "0"))
    #expect(try VscpOptions(["-r", "-p", "7"]).meeting == .listen(try .init(parsing: "vsock://any:7"), shown: "7"))
    #expect(
      try VscpOptions(["-s", "-p", "7"]).meeting == .connect(try .init(parsing: "vsock://hypervisor:7"), shown: "0.7"))
    #expect(try VscpOptions(["-listen", "tcp://[::]:1"]).role == .receive)
    #expect(try VscpOptions(["--to=unix:x", "-r"]).role == .receive)
    #expect(try VscpOptions(["--to", "unix:x"]).role == .send)
    let listen = try VscpOptions(["-s", "--listen", "tcp://[::]:1", "--idle-timeout", "2s", "--verify", "a", "b"])
    #expect(listen.role == .send && listen.meeting == .listen(try .init(parsing: "tcp://*:1"), shown: "tcp://*:1"))
    #expect(listen.idleTimeout == .seconds(2) && listen.files == ["a", "b"] && listen.connectTimeout == .seconds(10))
  }

  @Test(arguments: [
    ("0", Duration.zero), ("5s", .seconds(5)), ("-5s", .seconds(-5)), ("+1.5s", .milliseconds(1500)),
    ("1h2m3s", .seconds(3723)),
    ("300ms", .milliseconds(300)), (".5s", .milliseconds(500)), ("1.s", .seconds(1)), ("7us", .microseconds(7)),
    ("7µs", .microseconds(7)), ("3ns", .nanoseconds(3)), ("2540400h", .seconds(9_145_440_000)), ("", nil), ("5", nil),
    ("s", nil), (".s", nil),
    ("1d", nil), ("1.5.5s", nil), ("5 s", nil), ("3000000h", nil), ("-", nil), ("99999999999999999999s", nil),
  ])
  func durationsAreReadAsGoReadsThem(_ text: String, _ expected: Duration?) {
    #expect(GoDuration.parse(text) == expected)
  }

  @Test(arguments: [
    ("plain", "\"plain\""), ("a\"b\\c", "\"a\\\"b\\\\c\""), ("n\nt\tr\r\u{1}\u{7f}", "\"n\\nt\\tr\\r\\x01\\x7f\""),
    ("é\u{202e}", "\"é\\u202e\""),
  ])
  func textsAreQuotedAsGoQuotesThem(_ text: String, _ quoted: String) { #expect(goQuoted(text) == quoted) }

  /// Its limit is for the receiver; his sender takes it and does nothing.
  @Test func hisSenderHasNoTimeout() throws {
    #expect(try VscpOptions(["-s", "-c", "2", "-p", "1", "-t", "5s"]).timeout == nil)
    #expect(try VscpOptions(["-s", "--to", "unix:@x", "-t", "5s"]).timeout == .seconds(5))
    #expect(try VscpOptions(["-r", "-t", "5s"]).timeout == .seconds(5))
  }

  @Test func progressIsALine() {
    #expect(
      ProgressMeter.line("f", done: 3 << 20, size: 12 << 20, moved: 2 << 20, in: .milliseconds(500))
        == "f  25 %  3.0 MiB of 12.0 MiB  4.0 MiB/s  0:03 left")
    #expect(ProgressMeter.line("f", done: 10, size: nil, moved: 10, in: .seconds(1)) == "f  10 B  10 B/s")
    let most = UInt64(Int64.max)
    #expect(ProgressMeter.line("f", done: most / 4, size: most, moved: 0, in: .zero).hasPrefix("f  25 %"))
    #expect(ProgressMeter.line("f", done: 0, size: 0, moved: 0, in: .zero) == "f  0 B of 0 B  0 B/s")
    #expect(ProgressMeter.line("f", done: 1, size: 7201, moved: 1, in: .seconds(1)).hasSuffix("2:00:00 left"))
    #expect(ProgressMeter.line("f", done: 1, size: .max, moved: 1, in: .seconds(1)).hasSuffix("over 99 h left"))
  }

  @Test func progressIsForTerminalsOnly() {
    let talk = Talk()
    var console = talk.console()
    var meter = ProgressMeter("f", size: 10, console: console)
    meter.advance(by: 5)
    meter.finish()
    #expect(talk.text.isEmpty)
    console.isWatched = true
    meter = ProgressMeter("f", size: 10, console: console)
    meter.advance(by: 5)
    meter.advance(by: 5)
    #expect(talk.text.hasPrefix("\r\u{1b}[Kf  50 %") && talk.text.split(separator: "\r").count == 1)
  }
}
