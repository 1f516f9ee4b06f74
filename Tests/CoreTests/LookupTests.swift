import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct LookupTests {
  @Test func localhostIsFound() throws {
    let addresses = try NameLookup("localhost", port: 80).wait(until: .after(.seconds(20)))
    #expect(!addresses.isEmpty)
    for address in addresses {
      #expect(address.port == 80)
      switch address.ip {
      case .v4(let ip): #expect(ip.isLoopback)
      case .v6(let ip): #expect(ip.isLoopback)
      }
    }
    let four = try NameLookup("localhost", port: 1, version: .ipv4).wait(until: .after(.seconds(20)))
    #expect(!four.isEmpty && four.allSatisfy { $0 == .loopback(port: 1) })
  }

  @Test func aPollerSeesTheEndOfALookup() throws {
    let lookup = try NameLookup("127.0.0.1", port: 1)
    var poller = try EpollPoller()
    try poller.register(lookup, for: .readable, token: Token(index: 3))
    #expect(try poller.wait(until: .after(.seconds(20))) == 1)
    let isFinished = lookup.isFinished
    #expect(isFinished)
    #expect(try lookup.wait(until: .never) == [.loopback(port: 1)])
  }

  @Test(arguments: ["", String(repeating: "x", count: 256), "a\0b"])
  func unusableNamesAreRefused(_ name: String) {
    do throws(SocketError) {
      _ = try NameLookup(name, port: 1)
      Issue.record("took it")
    } catch {
      #expect(error.code == .invalidAddress && error.operation == .resolve)
    }
  }

  @Test func aNameThatIsNoneFailsWithTheName() {
    do throws(SocketError) {
      _ = try NameLookup("no such name", port: 1).wait(until: .after(.seconds(20)))
      Issue.record("found it")
    } catch {
      #expect([.nameNotFound, .resolverFailed].contains(error.code))
      #expect(error.address == "no such name" && error.remedy != nil)
    }
  }

  @Test func abandonedLookupsLeaveNothing() throws {
    for _ in 0..<20 { _ = try NameLookup("localhost", port: 1) }
  }

  @Test func familiesTakeTurns() {
    let six = (1...3).map { IPSocketAddress(IPv6Address(high: 0, low: $0), port: 1) }
    let four = [IPSocketAddress.loopback(port: 1)]
    #expect(HappyEyeballs.interleaved(ipv6: six, ipv4: four) == [six[0], four[0], six[1], six[2]])
    #expect(HappyEyeballs.interleaved(ipv6: [], ipv4: four) == four)
  }

  @Test func connectByNameReachesTheFamilyThatListens() throws {
    for address in [IPSocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)] {
      let listener = try TCPSocket.listen(on: address)
      let port = try listener.localAddress().port
      let host = address.isIPv6 && !localhostHasIPv6 ? "::1" : "localhost"
      let client = try TCPSocket.connect(to: .host(host, port: port), until: .after(.seconds(20)))
      let server = try listener.accept(until: .after(.seconds(5)))
      #expect(try client.remoteAddress() == server.localAddress())
    }
  }

  private var localhostHasIPv6: Bool {
    let found = try? NameLookup("localhost", port: 1, version: .ipv6).wait(until: .after(.seconds(20)))
    return found?.contains { $0.isIPv6 } ?? false
  }

  @Test func connectByNameWithNobodyThereNamesEveryAttempt() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let port = try listener.localAddress().port
    try listener.close()
    do throws(SocketError) {
      _ = try TCPSocket.connect(to: .host("localhost", port: port), until: .after(.seconds(20)))
      Issue.record("connected")
    } catch {
      #expect(error.code == .connectionRefused && error.address == "localhost")
      #expect(error.attempts.contains { $0.address == "127.0.0.1:\(port)" && $0.code == .connectionRefused })
    }
    do throws(SocketError) {
      _ = try TCPSocket.connect(to: .host("127.0.0.1", port: port), until: .after(.seconds(20)))
      Issue.record("connected")
    } catch {
      #expect(error.code == .connectionRefused && error.address == "127.0.0.1:\(port)")
    }
  }

  @Test func connectByNameHonoursDeadlineAndCancel() {
    do throws(SocketError) {
      _ = try TCPSocket.connect(to: .host("localhost", port: 1), until: .past)
      Issue.record("connected")
    } catch {
      #expect(error.code == .timedOut)
    }
    let control = WaitControl()
    control.cancel()
    do throws(SocketError) {
      _ = try TCPSocket.connect(to: .host("localhost", port: 1), until: .never.cancellable(by: control))
      Issue.record("connected")
    } catch {
      #expect(error.code == .cancelled)
    }
  }
}
