import Glibc
import SocketKit
import TestSupport
import Testing

/// Connects that cannot succeed: each ends with a typed error that names the operation and the address.
@Suite(.exclusive) struct ConnectFailureTests {
  private func failure<S: Transport & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, _ address: S.Address, until limit: some WaitLimit = .after(.seconds(10)),
    while operation: SocketError.Operation = .connect
  ) -> SocketError? {
    do throws(SocketError) {
      _ = try S.connect(to: address, until: limit)
      Issue.record("connected to \(address)")
      return nil
    } catch {
      #expect(error.operation == operation)
      #expect(error.address == address.description)
      return error
    }
  }

  private func unusedPort() throws -> UInt16 {
    try TCPSocket.listen(on: .loopback(port: 0)).localAddress().port
  }

  @Test func refused() throws {
    for address in [IPSocketAddress.loopback(port: try unusedPort()), .loopbackIPv6(port: try unusedPort())] {
      for _ in 0..<20 {
        let error = failure(TCPSocket.self, address)
        #expect(error?.code == .connectionRefused && error?.remedy != nil)
      }
    }
  }

  @Test func unixRefusedAndMissing() throws {
    let address = try UnixAddress(path: temporaryPath())
    #expect(failure(UnixStreamSocket.self, address)?.code == .noSuchPath)
    let abstract = try UnixAddress(abstract: "nobody-\(getpid())")
    #expect(failure(UnixStreamSocket.self, abstract)?.code == .connectionRefused)
  }

  @Test func unixPathOfAnotherType() throws {
    let address = try UnixAddress(path: temporaryPath())
    let datagram = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer {
      close(datagram)
      CLibrary.unlink(address.path ?? "")
    }
    let bound = address.withBytes { CLibrary.bind(datagram, to: $0) }
    #expect(bound == 0)
    #expect(failure(UnixStreamSocket.self, address)?.code == .wrongSocketType)
  }

  /// Loopback is down in a namespace of its own: nothing is reachable, and nothing leaves it.
  @Test func unreachable() throws {
    let code = inNewNetworkNamespace { self.failure(TCPSocket.self, .loopback(port: 1))?.code }
    if let code {
      #expect(code == .unreachable)
    } else {
      #expect(!mustBeAvailable, "unavailable: the kernel does not let this process make a network namespace")
    }
  }

  @Test func aSourceAddressThatIsNoneOfOurs() {
    do throws(SocketError) {
      _ = try TCPSocket.connect(
        to: .loopback(port: 1), from: IPSocketAddress(IPv4Address(192, 0, 2, 1), port: 0), until: .after(.seconds(1)))
      Issue.record("bound it")
    } catch {
      #expect(error.code == .addressNotAvailable && error.operation == .bind)
      #expect(error.localAddress == "192.0.2.1:0")
    }
  }

  @Test func aSourceAddressAndPortAreUsed() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let port = try unusedPort()
    let source = IPSocketAddress(IPv4Address(127, 0, 0, 9), port: port)
    let client = try TCPSocket.connect(to: listener.localAddress(), from: source, until: .after(.seconds(5)))
    #expect(try client.localAddress() == source)
    #expect(try listener.accept(until: .after(.seconds(5))).remoteAddress() == source)
  }

  /// A full backlog makes a connect hang: the kernel drops its SYNs.
  @Test func hungConnectEndsAtTheDeadlineOrByCancel() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0), backlog: 0)
    let address = try listener.localAddress()
    let queued = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    let start = milliseconds()
    #expect(failure(TCPSocket.self, address, until: .after(.milliseconds(60)))?.code == .timedOut)
    #expect(milliseconds() - start >= 60)
    let control = WaitControl()
    let other = spawn {
      sleep(milliseconds: 40)
      control.cancel()
    }
    #expect(failure(TCPSocket.self, address, until: .after(.seconds(20)).cancellable(by: control))?.code == .cancelled)
    other.join()
    #expect(failure(TCPSocket.self, address, until: .past)?.code == .timedOut)
    _ = queued.descriptor
  }

  /// A Unix listener with a full backlog: the connect waits, and succeeds as soon as there is room.
  @Test func unixConnectWaitsForRoomInTheBacklog() throws {
    let listener = try UnixStreamSocket.listen(on: UnixAddress(abstract: "full-\(getpid())"), backlog: 0)
    let address = try listener.localAddress()
    let queued = try UnixStreamSocket.connect(to: address, until: .after(.seconds(5)))
    #expect(failure(UnixStreamSocket.self, address, until: .after(.milliseconds(60)))?.code == .timedOut)
    let control = WaitControl()
    let other = spawn {
      sleep(milliseconds: 40)
      control.cancel()
    }
    #expect(failure(UnixStreamSocket.self, address, until: .never.cancellable(by: control))?.code == .cancelled)
    other.join()
    do throws(SocketError) {
      _ = try UnixStreamSocket.startConnecting(to: address)
      Issue.record("there was room")
    } catch {
      #expect(error.errno == EAGAIN)
    }
    // A connect that fails leaves the socket as it was.
    let open = try UnixStreamSocket.open(for: address)
    try open.setOption(.sendTimeout, to: .seconds(7))
    do throws(SocketError) {
      try open.connect(to: address, until: .after(.milliseconds(30)))
      Issue.record("there was room")
    } catch {
      #expect(error.code == .timedOut)
    }
    #expect(fcntl(open.descriptor.value, F_GETFL) & O_NONBLOCK != 0)
    let timeout = try open.option(.sendTimeout)
    #expect(timeout == .seconds(7))
    let waiting = spawn {
      do throws(SocketError) {
        let late = try UnixStreamSocket.connect(to: address, until: .after(.seconds(10))) {
          (socket) throws(SocketError) in try socket.setOption(.sendTimeout, to: .seconds(7))
        }
        #expect(fcntl(late.descriptor.value, F_GETFL) & O_NONBLOCK != 0)
        let timeout = try? late.option(.sendTimeout)
        #expect(timeout == .seconds(7))
      } catch {
        Issue.record("\(error)")
      }
    }
    sleep(milliseconds: 30)
    _ = try listener.accept(until: .after(.seconds(5)))
    waiting.join()
    _ = queued.descriptor
  }

  @Test func descriptorExhaustionIsATypedErrorAndRecovers() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    var errors: [SocketError?] = []
    withDescriptorLimit(3) {  // standard input, output and error are open
      errors = (0..<3).map { _ in failure(TCPSocket.self, address, while: .open) }
      do throws(SocketError) {
        _ = try UnixStreamSocket.listen(on: try UnixAddress(abstract: "x-\(getpid())"))
      } catch {
        errors.append(error)
      }
    }
    #expect(errors.count == 4 && errors.allSatisfy { $0?.code == .tooManyDescriptors })
    _ = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
  }

  @Test func manyFailuresLeakNothing() throws {
    let before = openDescriptors()
    let address = IPSocketAddress.loopback(port: try unusedPort())
    for _ in 0..<200 { _ = failure(TCPSocket.self, address) }
    #expect(openDescriptors() == before)
  }
}
