import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// Names of files, and other arguments, are bytes and need not be UTF-8.
@Suite(.exclusive) struct VscpByteNamesTests {
  private static let bytes: [UInt8] = Array("n".utf8) + [0xff, 0x80, 0xc3]

  /// The files of a folder, as bytes.
  private func names(in folder: TemporaryFolder) -> Set<[UInt8]> {
    Set(entryBytes(of: folder.path)).subtracting([Array(".".utf8), Array("..".utf8)])
  }

  /// The shell makes the arguments: the test's own way of starting programs takes texts.
  private func start(_ words: [String], log: String, _ rest: String) throws -> PeerProcess {
    try VscpProcess.start(words, log: log, rest)
  }

  private func name(in folder: TemporaryFolder) -> String { "\"$(printf '\(folder.path)/n\\377\\200\\303')\"" }

  @Test(arguments: [[], ["--verify"]]) func aFileWhoseNameIsNotTextIsSentAndReceived(_ options: [String]) throws {
    let (from, into) = (TemporaryFolder(), TemporaryFolder())
    let bytes = randomBytes(1000)
    let made = try #require(PeerProcess(["sh", "-c", "cat >\(name(in: from)) <<END\n\(Array(bytes))\nEND"]))
    #expect(made.finish().status == 0 && names(in: from) == [Self.bytes])
    // With --verify the sender's name is taken, and else the receiver has one of its own.
    let target = options.isEmpty ? name(in: into) : "\"\(into.path)\""
    let receiver = try start(["--listen", "unix:@"] + options, log: "\(from.path)/log", target)
    let address = try VscpProcess.address(in: "log", of: from)
    let sender = try start(["--to", address, "-v"] + options, log: "\(from.path)/talk", name(in: from))
    #expect(sender.finish().status == 0 && receiver.finish().status == 0)
    #expect(names(in: into) == [Self.bytes])
    let same = try #require(PeerProcess(["sh", "-c", "cmp \(name(in: from)) \(name(in: into))"]))
    #expect(same.finish().status == 0)
    // The talk names the bytes, as Go's %q does.
    let talk = String(decoding: from.read("talk") ?? [], as: UTF8.self)
    #expect(talk.contains("send: opening file \"\(from.path)/n\\xff\\x80\\xc3\" for input"), "\(talk)")
  }

  @Test func aFileThatIsMissingIsNamedByItsBytes() throws {
    let folder = TemporaryFolder()
    let sender = try start(["--to", "unix:@nobody"], log: "\(folder.path)/log", name(in: folder))
    #expect(sender.finish().status == 1)
    let log = String(decoding: folder.read("log") ?? [], as: UTF8.self)
    #expect(
      log.contains(
        "failed to open input file: \"open \(folder.path)/n\\xff\\x80\\xc3: no such file or directory\""), "\(log)")
  }

  /// The path of a Unix socket.
  @Test func anAddressWithBytesIsListenedAtAndConnectedTo() throws {
    let folder = TemporaryFolder()
    let address = "\"unix:$(printf '\(folder.path)/n\\377\\200\\303')\""
    let receiver = try start([], log: "\(folder.path)/log", "--listen \(address) \(folder.path)/out")
    let shown = try VscpProcess.address(in: "log", of: folder)
    #expect(shown == "unix:\(folder.path)/n%FF%80%C3")
    #expect(names(in: folder).contains(Self.bytes))
    let sender = try start([], log: "/dev/null", "--to \(address) - </dev/null")
    #expect(sender.finish().status == 0 && receiver.finish().status == 0)
    #expect(folder.read("out") == [])
  }

  @Test func whatIsNoOptionIsNamedByItsBytes() throws {
    let folder = TemporaryFolder()
    let wrong = try start([], log: "\(folder.path)/log", "\"$(printf -- '--n\\377')\"")
    #expect(wrong.finish().status == 2)
    let log = String(decoding: folder.read("log") ?? [], as: UTF8.self)
    #expect(log.hasPrefix("flag provided but not defined: -n"), "\(log)")
  }

  /// A dash with a combining accent is a character of its own for people, and still a dash and two bytes.
  @Test func anOptionBeginsWithTheByteOfADash() throws {
    let folder = TemporaryFolder()
    let wrong = try start(["-\u{301}v"], log: "\(folder.path)/log", "")
    #expect(wrong.finish().status == 2)
    let log = String(decoding: folder.read("log") ?? [], as: UTF8.self)
    #expect(log.hasPrefix("flag provided but not defined: -\u{301}v"), "\(log)")
  }
}
