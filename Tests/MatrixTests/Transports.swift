import SocketKit
import SocketKitConformance
import Synchronization
import TestSupport
import Testing

/// Whatever the kit has to say about a rule, as a test's outcome.
func check(_ rule: ConformanceRule) {
  // An emulated machine; set before every rule, because any may be the first.
  if GuestKernel.isRunning { SlowHost.factor = 4 }
  switch rule.run() {
  case .passed: break
  // Our own transports and pollers keep the optional rules too.
  case .failed(let evidence): Issue.record("\(rule): \(rule.summary) — \(evidence)")
  case .unavailable(let cause) where rule.strength == .required || mustBeAvailable:
    Issue.record("\(rule) cannot be tried: \(cause)")
  case .unavailable(let cause): print("\(rule) cannot be tried: \(cause)")
  }
}

/// The rules whose names begin with one of the parts. A part that no name begins with gives a rule that fails, so that
/// a renamed rule does not go untried.
func rules(_ all: [ConformanceRule], beginning parts: [String]) -> [ConformanceRule] {
  all.filter { rule in parts.contains { rule.id.hasPrefix($0) } }
    + parts.filter { part in !all.contains { $0.id.hasPrefix(part) } }.map { part in
      ConformanceRule("\(part).none", "Some rule's name begins with \(part).") {
        throw ConformanceFailure("none of \(all.count) rules is named so")
      }
    }
}

/// A pair by way of a listener, for transports that have no pair of their own.
func pair<S: Transport & Acceptable<Void> & ~Copyable>(_ type: S.Type, on address: S.Address) throws -> SocketPair<S> {
  let listener = try S.listen(on: address)
  let client = try S.connect(to: listener.localAddress(), until: .after(.seconds(5)))
  return SocketPair(client, try listener.accept(until: .after(.seconds(5))))
}

private let names = Atomic<Int>(0)

/// A name that no other test and no other process uses.
func freshName() -> String {
  let number = names.add(1, ordering: .relaxed).newValue
  return "socketkit-matrix-\(processSeed)-\(number)"
}
private let processSeed = UInt64.random(in: 0 ... .max)

func freshPath() throws(SocketError) -> UnixAddress { try UnixAddress(path: "/tmp/\(freshName())") }
func freshAbstractName() throws(SocketError) -> UnixAddress { try UnixAddress(abstract: freshName()) }

enum Streams {
  static let tcp4 = StreamSocketSuite("TCP over IPv4") { try pair(TCPSocket.self, on: .loopback(port: 0)) }
  static let tcp6 = StreamSocketSuite("TCP over IPv6") { try pair(TCPSocket.self, on: .loopbackIPv6(port: 0)) }
  static let unixPath = StreamSocketSuite("Unix path") { try pair(UnixStreamSocket.self, on: freshPath()) }
  static let unixAbstract = StreamSocketSuite("Unix name") { try pair(UnixStreamSocket.self, on: freshAbstractName()) }
  static let unixPair = StreamSocketSuite("Unix pair") { try UnixStreamSocket.pair() }
}
