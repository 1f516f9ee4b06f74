import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct RawNamespaceTests {
  /// A descriptor of a new namespace, to be closed by the caller; nil when none can be made.
  private func newNamespace() -> Int32? {
    let number = inNewNetworkNamespace { CLibrary.open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) }
    if number == nil { unavailable("this process may make no network namespace") }
    return number
  }

  /// What tells namespaces apart: SO_NETNS_COOKIE (Linux 5.14).
  private func cookie(_ socket: borrowing UDPSocket) throws(SocketError) -> UInt64 {
    let bytes = try socket.option(SocketOption(bytes: CSK_SO_NETNS_COOKIE, level: SOL_SOCKET, capacity: 8))
    return bytes.integer(at: 0, as: UInt64.self)
  }

  /// The counterpart of mdlayher/socket's TestLinuxNetworkNamespaces.
  @Test func thePortThatIsTakenHereIsFreeThere() throws {
    guard let number = newNamespace() else { return }
    let namespace = try NetworkNamespace(descriptor: RawDescriptor(number))
    close(number)
    let here = try UDPSocket.bind(to: .anyIPv4(port: 0))
    let address = try here.localAddress()
    #expect(throws: SocketError(.failure(errno: EADDRINUSE), .bind).with(address: "\(address)")) {
      _ = try UDPSocket.bind(to: address)
    }
    let before = openDescriptors().count
    let there = try namespace.perform { try UDPSocket.bind(to: address) }
    #expect(openDescriptors().count == before + 1)
    let same = try there.localAddress()
    let again = try UDPSocket.open(for: address)
    let cookies = [try cookie(here), try cookie(there), try cookie(again)]
    #expect(same == address && cookies[0] != cookies[1] && cookies[0] == cookies[2])
    // A listener comes out too.
    let listener = try namespace.perform { try TCPSocket.listen(on: .anyIPv4(port: 777)) }
    let port = try listener.localAddress().port
    #expect(port == 777)
  }

  @Test func socketsMadeThereTalkFromHere() throws {
    guard let number = newNamespace() else { return }
    let namespace = try NetworkNamespace(descriptor: RawDescriptor(number))
    close(number)
    try namespace.perform { try raiseLoopback() }
    let listener = try namespace.perform { try TCPSocket.listen(on: .loopback(port: 4242)) }
    let client = try namespace.perform { try TCPSocket.connect(to: .loopback(port: 4242), until: .after(.seconds(5))) }
    let server = try listener.accept(until: .after(.seconds(5)))
    try client.writeAll([6].span, until: .after(.seconds(5)))
    var buffer: [UInt8] = [0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(.seconds(5)))
    #expect(buffer == [6])
    let outside = failure { () throws(SocketError) in
      _ = try TCPSocket.connect(to: .loopback(port: 4242), until: .after(.seconds(5)))
    }
    #expect(outside?.code == .connectionRefused)
  }

  @Test func byPathByProcessAndOfThisThread() throws {
    guard let number = newNamespace() else { return }
    defer { close(number) }
    let other = try NetworkNamespace(path: "/proc/self/fd/\(number)")
    let home = try NetworkNamespace(path: "/proc/self/ns/net")
    let process = try NetworkNamespace(ofProcess: getpid())
    let current = try NetworkNamespace.current()
    let probe: @Sendable () throws -> UDPSocket = { try UDPSocket.open(for: .loopback(port: 0)) }
    let foreign = try other.perform(probe)
    let first = try home.perform(probe)
    let second = try process.perform(probe)
    let third = try current.perform(probe)
    let cookies = [try cookie(foreign), try cookie(first), try cookie(second), try cookie(third)]
    #expect(cookies[1] == cookies[2] && cookies[2] == cookies[3] && cookies[0] != cookies[1])
    // Inside another namespace, "current" is that one.
    let inner = try other.perform { try NetworkNamespace.current().perform(probe) }
    let innermost = try cookie(inner)
    #expect(innermost == cookies[0])
  }

  @Test func whatIsNoNamespaceIsATypedError() throws {
    func refusal(_ path: String) -> SocketError? {
      failure { () throws(SocketError) in _ = try NetworkNamespace(path: path) }
    }
    let missing = refusal("/run/netns/no-such-one")
    #expect(missing?.code == .noSuchPath && missing?.operation == .enterNamespace)
    #expect(missing?.address == "/run/netns/no-such-one" && missing?.remedy?.contains("ip netns") == true)
    for path in ["/proc/self/ns/uts", "/dev/null", "/proc/self/status", "/"] {
      let error = refusal(path)
      #expect(error?.code == .notANetworkNamespace && error?.remedy != nil, "\(path): \(String(describing: error))")
    }
    #expect(refusal("a\0b")?.code == .invalidArgument)
    let process = failure { () throws(SocketError) in _ = try NetworkNamespace(ofProcess: Int32.max) }
    #expect(process?.code == .noSuchPath)
    let closed = failure(SocketError.self) { () throws(SocketError) in
      _ = try NetworkNamespace(descriptor: RawDescriptor(9999))
    }
    #expect(closed?.code == .closed)
    let udp = try UDPSocket.bind(to: .loopback(port: 0))
    let number = udp.descriptor
    let socket = failure(SocketError.self) { () throws(SocketError) in _ = try NetworkNamespace(descriptor: number) }
    #expect(socket?.code == .notANetworkNamespace)
  }

  @Test func withoutPermissionTheBodyIsNotRun() throws {
    let error = onThread { () -> SocketError? in
      do {
        let namespace = try NetworkNamespace.current()
        dropCapabilities()
        try namespace.perform { _ = Issue.record("the body was run") }
        return nil
      } catch {
        return error as? SocketError
      }
    }
    #expect(error?.code == .permissionDenied && error?.operation == .enterNamespace)
    #expect(error?.remedy?.contains("CAP_SYS_ADMIN") == true)
  }

  @Test func whatTheBodyThrowsComesThrough() throws {
    guard let number = newNamespace() else { return }
    defer { close(number) }
    let namespace = try NetworkNamespace(descriptor: RawDescriptor(number))
    do {
      try namespace.perform {
        let first = try UDPSocket.bind(to: .anyIPv4(port: 0))
        _ = try UDPSocket.bind(to: first.localAddress())
      }
      Issue.record("bound")
    } catch let error as SocketError {
      #expect(error.code == .addressInUse)
    }
  }
}
