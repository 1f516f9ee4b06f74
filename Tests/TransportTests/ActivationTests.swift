import Glibc
import SocketKit
import TestSupport
import Testing

/// Socket activation: this test starts its own program anew, as a service manager would, with sockets at 3 and above.
@Suite(.exclusive) struct ActivationTests {
  @Test func listenersAndConnectionsByName() throws {
    let tcp = try TCPSocket.listen(on: .loopback(port: 0))
    let unix = try UnixStreamSocket.listen(on: UnixAddress(abstract: "activated-\(getpid())"))
    let pair = try UnixStreamSocket.pair()
    let numbers = [tcp.descriptor.value, unix.descriptor.value, pair.first.descriptor.value]
    let outcome = try activate("names", numbers, names: "web:control:connection")
    #expect(outcome == .passed)
  }

  @Test func withoutNames() throws {
    let tcp = try TCPSocket.listen(on: .loopback(port: 0))
    let pair = try UnixStreamSocket.pair()
    let outcome = try activate("nameless", [tcp.descriptor.value, pair.first.descriptor.value], names: nil)
    #expect(outcome == .passed)
  }

  @Test func wrongVariables() throws {
    let tcp = try TCPSocket.listen(on: .loopback(port: 0))
    let number = tcp.descriptor.value
    for (count, names, process, part) in [
      ("one", nil, "$$", "invalidArgument"), ("-1", nil, "$$", "invalidArgument"),
      ("1", "a:b", "$$", "invalidArgument"),
      ("1", nil, "no", "invalidArgument"), ("1", nil, "1", "nameNotFound"), ("40", nil, "$$", "closed"),
    ] as [(String, String?, String, String)] {
      let outcome = try activate(part, [number], names: names, count: count, process: process)
      #expect(outcome == .passed, "LISTEN_FDS=\(count), names \(names ?? "none"), process \(process)")
    }
  }

  /// Three descriptors are claimed and the third is not open. The call that fails leaves the other two open.
  @Test func aFailureClosesNothing() throws {
    let pair = try UnixStreamSocket.pair()
    let numbers = [pair.first.descriptor.value, pair.second.descriptor.value]
    let outcome = try activate("ownsNothing", numbers, names: nil, count: "3")
    #expect(outcome == .passed)
  }

  /// The number comes from outside: neither memory nor time may grow with it.
  @Test func manyClaimedAreRefusedAtOnce() throws {
    let pair = try UnixStreamSocket.pair()
    let began = milliseconds()
    let outcome = try activate("closed", [pair.first.descriptor.value], names: nil, count: "2147483643")
    #expect(outcome == .passed && milliseconds() - began < 20_000)
  }

  @Test func nothingWasPassed() {
    let error = failure { () throws(SocketError) in _ = try ActivatedSockets() }
    #expect(
      error?.code == .nameNotFound && error?.operation == .activate && error?.remedy?.contains("LISTEN_FDS") == true)
  }
}

/// The parts that run in the new process; in any other there is none to run. Not exclusive, because descriptors that
/// were there before close here.
@Suite struct ActivatedProcess {
  @Test func run() throws {
    guard let part = environmentVariable(partVariable) else { return }
    switch part {
    case "names": try names()
    case "nameless": try nameless()
    case "ownsNothing":
      // The test's own program may have opened this number by now.
      close(5)
      let code = failure { () throws(SocketError) in _ = try ActivatedSockets() }?.code
      #expect(code == .closed && isOpen(3) && isOpen(4))
    default:
      let code = failure { () throws(SocketError) in _ = try ActivatedSockets(unsettingEnvironment: true) }?.code
      #expect("\(code.map(String.init(describing:)) ?? "nothing")" == Self.texts[part])
      #expect(environmentVariable("LISTEN_FDS") != nil)
    }
    reportPart(part)
  }

  private static let texts: [String: String] = [
    "invalidArgument": SocketError.Code.invalidArgument.description,
    "nameNotFound": SocketError.Code.nameNotFound.description, "closed": SocketError.Code.closed.description,
  ]

  private func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

  private func names() throws {
    var activated = try ActivatedSockets(unsettingEnvironment: true)
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { #expect(environmentVariable(name) == nil) }
    #expect(activated.names == ["web", "control", "connection"])
    for number in 3...5 as ClosedRange<Int32> {
      #expect(fcntl(number, F_GETFD) == FD_CLOEXEC && fcntl(number, F_GETFL) & O_NONBLOCK != 0)
    }
    // The wrong kind stays.
    var code: SocketError.Code?
    do throws(SocketError) { _ = try activated.takeListener(UnixStreamSocket.self, named: "web") } catch {
      code = error.code
    }
    #expect(code == .wrongSocketKind)
    do throws(SocketError) { _ = try activated.takeSocket(TCPSocket.self, named: "web") } catch { code = error.code }
    #expect(code == .wrongSocketKind)
    do throws(SocketError) { _ = try activated.takeListener(TCPSocket.self, named: "other") } catch {
      code = error.code
    }
    #expect(code == .nameNotFound && activated.names.count == 3)
    let web = try activated.takeListener(TCPSocket.self, named: "web")
    let connection = try activated.takeSocket(UnixStreamSocket.self, named: "connection")
    #expect(activated.names == ["control"])
    do throws(SocketError) { _ = try activated.takeListener(TCPSocket.self, named: "web") } catch {
      code = error.code
    }
    #expect(code == .nameNotFound)
    let client = try TCPSocket.connect(to: web.localAddress(), until: .after(patience))
    let server = try web.accept(until: .after(patience))
    try client.writeAll([1].span, until: .after(patience))
    var buffer: [UInt8] = [0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(patience))
    #expect(buffer == [1])
    // What nobody took closes with its owner; what was taken stays.
    _ = consume activated
    #expect(isOpen(3) && !isOpen(4) && isOpen(5))
    try connection.close()
    #expect(!isOpen(5))
  }

  private func nameless() throws {
    var activated = try ActivatedSockets()
    #expect(environmentVariable("LISTEN_PID") != nil && activated.names == ["unknown", "unknown"])
    let listener = try activated.takeListener(TCPSocket.self)
    let rest = try activated.takeDescriptor(named: "unknown")
    #expect(listener.descriptor.value == 3 && rest.raw.value == 4 && activated.names.isEmpty)
    let code = failure { () throws(SocketError) in _ = try activated.takeDescriptor() }?.code
    #expect(code == .nameNotFound)
  }
}
