import TestSupport
import Testing

/// Error numbers and option numbers of the kernel have names, everywhere but in the headers of CSocketKit.
@Suite(.exclusive) struct BareNumberTests {
  @Test func everyNumberOfTheKernelsHasAName() throws {
    let sources = ["Sources", "Tests", "Plugins", "Snippets"].flatMap { Repository.files("\(Repository.root)/\($0)") }
      .filter { $0.hasSuffix(".swift") }
    #expect(sources.count > 300)
    for path in sources {
      for line in BareNumbers(try #require(Repository.text(path))).lines {
        Issue.record("\(path):\(line): a bare error number or option number: use its name")
      }
    }
  }

  @Test(arguments: [
    "if errno == 22 {}", "guard error?.errno != 19 else {}", "case .open where errno == 13: f()", "x = 22 == errno",
    "x = 22 == error?.errno", "x = 22 == error.errno",
    "if result().errno == 0x16 {}", "#expect(e?.errno == 19, \"text\")",
    "if type == kind && code == 4 {}",
    "if result.raw == -11 {}", "return .failure(errno: 90)", "fail(errno: -90)", "let s = \"\\(name(errno: 90))\"",
    "switch errno { case 1: f() default: g() }", "switch result.errno {\ncase CSK_EPERM, 33: f()\ndefault: g() }",
    "switch status {\ncase EAI_NONAME: f()\ncase -5: f()\ndefault: g() }",
    "switch (error.code) { case 2: if a { f() } default: g() }",
    "setsockopt(s, 1, SO_MARK, &one, 4)", "getsockopt(s, SOL_SOCKET, 11, &one, &length)",
    "csk_setsockopt(number(a, b), CSK_IPPROTO_IP, Int32(24), &one, 4)", "getsockopt(s, 0, IP_TOS, &one, &length)",
    "integerOption(6, CSK_TCP_MAXSEG)", "try d.setIntegerOption(level, 2, 1)",
    "try s.setOption(SocketOption(bytes: CSK_UDP_GRO, level: 17), to: b)",
    "s.option(SocketOption(bytes: 104, level: CSK_IPPROTO_UDP, capacity: 4))",
    "s.f(level: CSK_IPPROTO_UDP, name: 104, into: &b)",
    "Self(flag: 10, level: CSK_SOL_SOCKET)", "control.append(\n  level: 17, type: 103, value: f(1))",
    "SocketOption(duration: 4 as Int32, level: level, unit: .seconds(1))",
    "csk_fcntl(number(a, b), 4, flags)", "ioctl(s, 0x8933, &request)", "csk_ioctl(s, UInt(0x541b), &count)",
    "_ = CLibrary.ioctl(s, 0x8914, &request)",
    "target.readOption(CSK_SOL_SOCKET, 4, into: &value, &length)",
  ])
  func aBareNumberIsReported(_ source: String) {
    #expect(BareNumbers(source).lines.count == 1, "\(BareNumbers(source).lines)")
  }

  @Test func theLineIsTheNumbers() {
    #expect(BareNumbers("// errno == 1\n/* errno\n == 2 */\nlet a = \"\"\"\n\n\"\"\"\nif errno == 3 {}\n").lines == [7])
    #expect(BareNumbers("switch errno {\ncase 1: f()\ncase 2,\n  3: f()\ndefault: g()\n}").lines == [2, 3, 4])
  }

  @Test(arguments: [
    "if errno == 0 || error.errno != 0 {}", "if errno == CSK_EPERM {}", "if result.raw == -1 || raw == 4 {}",
    "SocketError(code: .timedOut, .read, errno: 0)", "// errno == 22", "let s = \"errno == 22\"",
    "let s = #\"setsockopt(s, 1, 2)\"#", "let s = \"\"\"\n  setsockopt(s, 1, 2, \"4\")\n  \"\"\"",
    "switch errno {\ncase 0: return nil\ncase CSK_EPERM: return 1\ndefault: return 22 }",
    "switch count { case 1: f() case 2: g() default: h() }",
    "switch errno { case CSK_EPERM: f(3) case CSK_EACCES where g(4) == 5: h() default: i() }",
    "setsockopt(s, level, SO_RCVLOWAT, &one, 4)", "csk_setsockopt(s, CSK_SOL_SOCKET, name, f(1, 2), 4)",
    "setIntegerOption(CSK_SOL_SOCKET, CSK_SO_MARK, 1)", "Report(level: 3, depth: 2)", "Item(name: 3, type: 4)",
    "option(level: CSK_SOL_SOCKET, name: names[1], to: 2)", "if status == 2 || exit.status == 1 {}",
    "switch errno { case CSK_EPERM: if case .some(3) = a { f() } default: g() }",
    "csk_fcntl(s, CSK_F_SETFL, 2)", "ioctl(s, UInt(TIOCOUTQ), &count)",
    "let r = /\"/\nif count == 1 {}", "if list.code.count == 38 {}", "x = code == .other ? 2 : 3",
  ])
  func otherNumbersAreNot(_ source: String) { #expect(BareNumbers(source).lines == []) }
}
