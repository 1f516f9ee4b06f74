import Glibc
import NameService
import SocketKit
import TestSupport
import Testing

/// A name service that does not answer. A call that waits for it waits until its deadline; other calls are not delayed.
@Suite(.exclusive) struct SlowResolverTests {
  private func blockNames() {
    answerNames(AF_INET, with: "127.0.0.1", after: -1)
    answerNames(AF_INET6, with: "::1", after: -1)
  }

  private func settle() {
    name_service_release()
    for _ in 0..<2000 where name_service_running() > 0 { sleep(milliseconds: 5) }
    #expect(name_service_running() == 0)
  }

  private func code(_ host: String, _ port: UInt16, _ deadline: Deadline) -> SocketError.Code? {
    do throws(SocketError) {
      _ = try TCPSocket.connect(to: .host(host, port: port), until: deadline)
      return nil
    } catch {
      return error.code
    }
  }

  /// Nine of forty connects failed with `.capacityExceeded`, and so did the next one to localhost.
  @Test func fortyConnectsTimeOutAndLocalhostConnectsAfterwards() throws {
    blockNames()
    defer { settle() }
    let threads = (0..<40).map { number in
      ThreadResult { self.code("host\(number).test", 1, .after(.milliseconds(400))) }
    }
    let codes = threads.map { $0.join() }
    #expect(codes == Array(repeating: .timedOut, count: 40))
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    #expect(code("localhost", try listener.localAddress().port, .after(.seconds(10))) == nil)
  }

  /// Begins a lookup and abandons it. With `expected`, it first waits until so many lookups have reached the name
  /// service.
  private func askAndAbandon(_ expected: Int?, _ version: NameLookup.Version = .ipv4) throws {
    let lookup = try NameLookup("host.test", port: 1, version: version)
    if let expected {
      for _ in 0..<10_000 where Int(name_service_begun()) < expected { usleep(500) }
      #expect(Int(name_service_begun()) == expected)
    }
    _ = lookup.readSource
  }

  /// The number of abandoned lookups has a bound. They keep no descriptors, and they do not delay names of this host.
  @Test func abandonedLookupsAreBoundedAndHoldUpNoLocalName() throws {
    blockNames()
    defer { settle() }
    let before = openDescriptors().count
    let begun = name_service_begun()
    let most = NameLookup.maximumConcurrent + NameLookup.maximumAbandoned
    for number in 1...most + 20 {
      try askAndAbandon(number <= most ? Int(begun) + number : nil)
    }
    #expect(Int(name_service_running()) == most)
    // A further lookup waits for its turn, but not beyond its deadline.
    #expect(code("host.test", 1, .after(.milliseconds(100))) == .timedOut)
    #expect(Int(name_service_running()) == most)
    #expect(openDescriptors().count == before)
    let numeric = try NameLookup("127.0.0.1", port: 1)
    let isFinished = numeric.isFinished
    #expect(isFinished)
    for host in ["localhost", "LOCALHOST", "::1", "127.1"] {
      let found = try NameLookup(host, port: 7).wait(until: .after(.seconds(10)))
      #expect(!found.isEmpty && found.allSatisfy { $0.port == 7 })
    }
  }

  /// Abandoned lookups that had to keep their turn lose it when others of them end.
  @Test func abandonedLookupsBeyondTheBoundLoseTheirTurns() throws {
    blockNames()
    defer { settle() }
    let begun = Int(name_service_begun())
    let most = NameLookup.maximumConcurrent + NameLookup.maximumAbandoned
    for number in 1...most {
      try askAndAbandon(begun + number, number <= NameLookup.maximumAbandoned ? .ipv6 : .ipv4)
    }
    #expect(code("host.test", 1, .after(.milliseconds(100))) == .timedOut)
    name_service_release_family(AF_INET6)
    for _ in 0..<10_000 where Int(name_service_running()) > NameLookup.maximumConcurrent { usleep(500) }
    #expect(Int(name_service_running()) == NameLookup.maximumConcurrent)
    let found = try NameLookup("host.test", port: 7, version: .ipv6).wait(until: .after(.seconds(10)))
    #expect(found == [.loopbackIPv6(port: 7)])
  }

  /// Begins more lookups than may run at once. Those that wait for their turn get it before their deadline.
  @Test func whoWaitsForATurnGetsIt() throws {
    answerNames(AF_INET, with: "127.0.0.1", after: 10)
    let count = NameLookup.maximumConcurrent + 20
    let threads = (0..<count).map { _ in
      ThreadResult { () -> Int in
        do throws(SocketError) {
          return try NameLookup("host.test", port: 1, version: .ipv4).wait(until: .after(.seconds(20))).count
        } catch {
          Issue.record("\(error)")
          return 0
        }
      }
    }
    #expect(threads.map { $0.join() } == Array(repeating: 1, count: count))
    settle()
  }

  /// Lookups that wait for a turn in vain end at their deadline, and all turns are free afterwards.
  @Test func whoWaitsForATurnInVainTimesOut() throws {
    blockNames()
    defer { settle() }
    let count = NameLookup.maximumConcurrent + 8
    let threads = (0..<count).map { _ in
      ThreadResult { () -> SocketError.Code? in
        do throws(SocketError) {
          _ = try NameLookup("host.test", port: 1, version: .ipv4).wait(until: .after(.milliseconds(500)))
          return nil
        } catch {
          return error.code
        }
      }
    }
    #expect(threads.map { $0.join() } == Array(repeating: .timedOut, count: count))
    name_service_release()
    let found = try NameLookup("host.test", port: 1, version: .ipv4).wait(until: .after(.seconds(20)))
    #expect(found.count == 1)
  }
}
