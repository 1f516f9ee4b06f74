import Glibc
import SocketKit
import TestSupport
import Testing

private let partVariable = "SOCKETKIT_ACTIVATED_PART"

private enum Outcome: Equatable { case passed, failed(String) }

/// Runs a part of ``ActivatedProcess`` in a new process that has these descriptors and variables.
private func activate(
  _ part: String, _ descriptors: [Int32], names: String?, count: String? = nil, process: String = "$$"
) throws -> Outcome {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  // First out of the way of 3, 4, …, then there; what was copied away is CLOEXEC.
  let moved = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
  defer { for number in moved { close(number) } }
  for (index, number) in moved.enumerated() { posix_spawn_file_actions_adddup2(&actions, number, 3 + Int32(index)) }
  var output: [Int32] = [-1, -1]
  precondition(pipe(&output) == 0)
  _ = fcntl(output[0], F_SETFD, FD_CLOEXEC)
  posix_spawn_file_actions_adddup2(&actions, output[1], 1)
  posix_spawn_file_actions_adddup2(&actions, output[1], 2)
  posix_spawn_file_actions_addclose(&actions, output[1])
  let variables =
    "LISTEN_PID=\(process) LISTEN_FDS=\(count ?? String(descriptors.count)) "
    + (names.map { "LISTEN_FDNAMES=\($0) " } ?? "")
  var buffer = [CChar](repeating: 0, count: 4096)
  let length = readlink("/proc/self/exe", &buffer, 4095)
  let program = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let line =
    "export \(partVariable)=\(part); \(variables) exec \(program) --testing-library swift-testing --filter ActivatedProcess"
  let script = ["sh", "-c", line]
  var words = script.map { strdup($0) } + [nil]
  defer { for word in words { free(word) } }
  var child: pid_t = 0
  precondition(posix_spawn(&child, "/bin/sh", &actions, nil, &words, environ) == 0)
  close(output[1])
  var text: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while case let count = read(output[0], &chunk, chunk.count), count > 0 { text += chunk.prefix(count) }
  close(output[0])
  var status: Int32 = 0
  waitpid(child, &status, 0)
  let log = String(decoding: text, as: UTF8.self)
  // Exit status 0 alone could also mean that the part was not found.
  return status == 0 && log.contains("activated part \(part) ran") ? .passed : .failed(log)
}

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

  @Test func nothingWasPassed() {
    let error = failure { () throws(SocketError) in _ = try ActivatedSockets() }
    #expect(
      error?.code == .nameNotFound && error?.operation == .activate && error?.remedy?.contains("LISTEN_FDS") == true)
  }
}

@Suite(.exclusive, .guestOnly) struct VsockActivationTests {
  @Test func listenersOfBothKinds() throws {
    let stream = try VsockStreamSocket.listen(port: .any)
    let packets = try VsockSequencedPacketSocket.listen(port: .any)
    let outcome = try activate("vsock", [stream.descriptor.value, packets.descriptor.value], names: "s:p")
    #expect(outcome == .passed)
  }
}

/// The parts that run in the new process; in any other there is none to run. Not exclusive, because descriptors that were
/// there before close here.
@Suite struct ActivatedProcess {
  @Test func run() throws {
    guard let name = getenv(partVariable) else { return }
    let part = String(cString: name)
    switch part {
    case "names": try names()
    case "nameless": try nameless()
    case "vsock": try vsock()
    default:
      let code = failure { () throws(SocketError) in _ = try ActivatedSockets(unsettingEnvironment: true) }?.code
      #expect("\(code.map(String.init(describing:)) ?? "nothing")" == Self.texts[part])
      #expect(getenv("LISTEN_FDS") != nil)
    }
    print("activated part \(part) ran")
    fflush(nil)
  }

  private static let texts: [String: String] = [
    "invalidArgument": SocketError.Code.invalidArgument.description,
    "nameNotFound": SocketError.Code.nameNotFound.description, "closed": SocketError.Code.closed.description,
  ]

  private func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

  private func names() throws {
    var activated = try ActivatedSockets(unsettingEnvironment: true)
    #expect(getenv("LISTEN_PID") == nil && getenv("LISTEN_FDS") == nil && getenv("LISTEN_FDNAMES") == nil)
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
    #expect(getenv("LISTEN_PID") != nil && activated.names == ["unknown", "unknown"])
    let listener = try activated.takeListener(TCPSocket.self)
    let rest = try activated.takeDescriptor(named: "unknown")
    #expect(listener.descriptor.value == 3 && rest.raw.value == 4 && activated.names.isEmpty)
    let code = failure { () throws(SocketError) in _ = try activated.takeDescriptor() }?.code
    #expect(code == .nameNotFound)
  }

  private func vsock() throws {
    var activated = try ActivatedSockets()
    let packets = try activated.takeListener(VsockSequencedPacketSocket.self, named: "p")
    let stream = try activated.takeListener(VsockStreamSocket.self, named: "s")
    let port = try stream.localAddress().port
    let client = try VsockStreamSocket.connect(to: .local(port: port), until: .after(patience))
    let server = try stream.accept(until: .after(patience))
    try client.writeAll([1].span, until: .after(patience))
    var buffer: [UInt8] = [0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(patience))
    let name = try packets.localAddress()
    #expect(buffer == [1] && name.contextID == .any)
  }
}
