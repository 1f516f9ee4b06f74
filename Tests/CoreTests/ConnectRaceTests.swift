import Glibc
import NameService
import SocketKit
import TestSupport
import Testing

/// Connecting by name while the name service answers late, or differently for the two IP versions.
@Suite(.exclusive) struct ConnectRaceTests {
  private let host = "host.test"

  private func failure(
    _ port: UInt16, until limit: some WaitLimit
  ) -> SocketError? {
    do throws(SocketError) {
      _ = try TCPSocket.connect(to: .host(host, port: port), until: limit)
      Issue.record("connected")
      return nil
    } catch {
      return error
    }
  }

  private func unusedPort() throws -> UInt16 { try TCPSocket.listen(on: .loopback(port: 0)).localAddress().port }

  /// Waits until the lookups that a test left behind have ended.
  private func settle() {
    name_service_release()
    for _ in 0..<1000 where name_service_running() > 0 { sleep(milliseconds: 5) }
    #expect(name_service_running() == 0)
  }

  /// The IPv4 attempt has failed, and the race waits for the IPv6 answer. It used to wait in a busy loop.
  @Test func waitingForTheSecondAnswerTakesNoProcessorTime() throws {
    answerNames(AF_INET, with: "127.0.0.1", after: 0)
    answerNames(AF_INET6, with: "::1", after: -1)
    defer { settle() }
    let port = try unusedPort()
    let before = threadCPUTime()
    let error = failure(port, until: .after(.seconds(2)))
    #expect(error?.code == .timedOut && error?.attempts.map(\.code) == [.connectionRefused])
    #expect(threadCPUTime() - before < 30)
  }

  /// The same while the IPv4 attempt is in progress.
  @Test func waitingForAnAttemptAndAnAnswerTakesNoProcessorTime() throws {
    answerNames(AF_INET, with: "127.0.0.1", after: 0)
    answerNames(AF_INET6, with: "::1", after: -1)
    defer { settle() }
    // The kernel drops the requests to a full backlog.
    let listener = try TCPSocket.listen(on: .loopback(port: 0), backlog: 0)
    let address = try listener.localAddress()
    let queued = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    let before = threadCPUTime()
    #expect(failure(address.port, until: .after(.milliseconds(600)))?.code == .timedOut)
    #expect(threadCPUTime() - before < 30)
    _ = queued.descriptor
  }

  /// The same without any answer, until another thread cancels.
  @Test func waitingForBothAnswersTakesNoProcessorTime() throws {
    answerNames(AF_INET, with: "127.0.0.1", after: -1)
    answerNames(AF_INET6, with: "::1", after: -1)
    defer { settle() }
    let control = WaitControl()
    let other = spawn {
      sleep(milliseconds: 300)
      control.cancel()
    }
    let before = threadCPUTime()
    #expect(failure(1, until: .after(.seconds(20)).cancellable(by: control))?.code == .cancelled)
    #expect(threadCPUTime() - before < 30)
    other.join()
  }

  /// The race waits for the IPv6 answer no longer than the resolution delay, and then connects over IPv4.
  @Test func theFirstAnswerConnectsAfterTheResolutionDelay() throws {
    answerNames(AF_INET, with: "127.0.0.1", after: 0)
    answerNames(AF_INET6, with: "::1", after: -1)
    defer { settle() }
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: .host(host, port: listener.localAddress().port), until: .after(.seconds(20)))
    #expect(try client.remoteAddress() == listener.localAddress())
  }

  /// A source address chooses the IP version: the other version is not looked up.
  @Test func aSourceChoosesTheVersion() throws {
    defer { settle() }
    for (source, text) in [(IPSocketAddress.loopback(port: 0), "127.0.0.1"), (.loopbackIPv6(port: 0), "::1")] {
      answerNames(AF_INET, with: "127.0.0.1", after: source.isIPv6 ? -1 : 0)
      answerNames(AF_INET6, with: "::1", after: source.isIPv6 ? 0 : -1)
      let listener = try TCPSocket.listen(on: source)
      let port = try listener.localAddress().port
      let client = try TCPSocket.connect(to: .host(host, port: port), from: source, until: .after(.seconds(20)))
      #expect(try client.remoteAddress() == listener.localAddress())
      #expect(try client.localAddress().with(port: port) == listener.localAddress(), "\(text)")
      #expect(name_service_running() == 0, "a lookup that is not needed")
    }
  }

  private static let (again, noData, noName): (Int32, Int32, Int32) = (-3, -5, -2)

  /// The code must not depend on which answer came first. A temporary failure takes precedence over the answer that
  /// there is no address, because the name may exist.
  @Test(arguments: [
    (again, noData, SocketError.Code.resolverFailed), (noData, again, .resolverFailed),
    (again, noName, .resolverFailed),
    (noName, again, .resolverFailed), (again, again, .resolverFailed), (noData, noName, .nameNotFound),
    (noData, noData, .nameNotFound),
  ])
  func theCodeDoesNotDependOnTheOrderOfTheAnswers(_ six: Int32, _ four: Int32, _ expected: SocketError.Code) {
    for (delaySix, delayFour) in [(0, 40), (40, 0)] as [(Int32, Int32)] {
      name_service_answer(AF_INET, four, nil, delayFour)
      name_service_answer(AF_INET6, six, nil, delaySix)
      let error = failure(1, until: .after(.seconds(20)))
      #expect(error?.code == expected && error?.operation == .resolve, "\(delaySix) ms, \(delayFour) ms")
      #expect(error?.attempts.isEmpty == true)
    }
    settle()
  }

  /// The error of a failed attempt takes precedence over the error of a failed lookup.
  @Test(arguments: [again, noData]) func aFailedAttemptCountsBeforeAFailedLookup(_ six: Int32) throws {
    let port = try unusedPort()
    for (delaySix, delayFour) in [(0, 40), (40, 0)] as [(Int32, Int32)] {
      answerNames(AF_INET, with: "127.0.0.1", after: delayFour)
      name_service_answer(AF_INET6, six, nil, delaySix)
      let error = failure(port, until: .after(.seconds(20)))
      #expect(error?.code == .connectionRefused && error?.operation == .connect)
    }
    settle()
  }

  /// So does the error of an attempt that cannot open a socket: an IPv6 address where the kernel has no IPv6.
  @Test func anAddressOfALackingVersionIsSaidToBeThat() throws {
    for (delaySix, delayFour) in [(0, 40), (40, 0)] as [(Int32, Int32)] {
      name_service_answer(AF_INET, Self.noData, nil, delayFour)
      answerNames(AF_INET6, with: "::1", after: delaySix)
      let error = try withoutIPv6 { failure(1, until: .after(.seconds(20))) }
      #expect(error?.code == .protocolNotSupported && error?.operation == .open)
    }
    settle()
  }
}
