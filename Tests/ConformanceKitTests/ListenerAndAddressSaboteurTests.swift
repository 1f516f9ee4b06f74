import Glibc
import SocketKit
import SocketKitConformance
import Synchronization
import TestSupport
import Testing

private func listeners<F: StreamFault>(_ fault: F.Type) -> ListenerSuite<FaultySocket<F>> {
  ListenerSuite("faulty") {
    try TCPSocket.listen(on: .loopback(port: 0)).accepting(FaultySocket<F>.self, context: ())
  } connect: {
    FaultySocket(try TCPSocket.connect(to: $0, until: .after(.seconds(5))))
  }
}

private func saboteur<F: StreamFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, rule, listeners(F.self), listeners(Faultless.self))
}

private let leaked = Mutex<[Int32]>([])

/// Opens something for each attempt, and forgets it when the attempt fails.
private let leakingConnector = ListenerSuite<TCPSocket>("leaking") {
  try TCPSocket.listen(on: .loopback(port: 0))
} connect: { address in
  let extra = dup(0)
  do {
    let socket = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    close(extra)
    return socket
  } catch {
    leaked.withLock { $0.append(extra) }
    throw error
  }
}

/// Has a backlog too short for what the suite asks for.
private let deafListener = ListenerSuite<TCPSocket>("deaf") {
  try TCPSocket.listen(on: .loopback(port: 0), backlog: 1)
} connect: { address in
  try TCPSocket.connect(to: address, until: .after(.milliseconds(300)))
}

@Suite(.exclusive) struct ListenerSaboteurTests {
  static let saboteurs = [
    saboteur("forgets close-on-exec", ForgetsCloseOnExec.self, "listener.accept.flags"),
    saboteur("forgets non-blocking", ForgetsNonBlocking.self, "listener.accept.flags"),
    saboteur("mistakes the peer's address", MistakesThePeer.self, "listener.accept.connects"),
    saboteur("mistakes the peer's address", MistakesThePeer.self, "listener.accept.reporting"),
    Saboteur("leaks at failed connects", "listener.close.refuses", leakingConnector, listeners(Faultless.self)),
    Saboteur("has no room for many", "listener.accept.many", deafListener, listeners(Faultless.self)),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws {
    defer {
      leaked.withLock { numbers in
        for number in numbers { close(number) }
        numbers = []
      }
    }
    try saboteur.mustBeCaught()
  }
}

/// An IP address with a fault.
private struct OddAddress<Fault: AddressFault>: SocketAddress, LosslessStringConvertible {
  let base: IPSocketAddress
  var family: AddressFamily { base.family }

  init(_ base: IPSocketAddress) { self.base = base }
  init?(sockaddr bytes: RawSpan) {
    guard let base = Fault.decode(bytes) else { return nil }
    self.base = base
  }
  init?(_ text: String) {
    guard let base = IPSocketAddress(text) else { return nil }
    self.base = base
  }
  borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R { base.withBytes(body) }
  var description: String { Fault.text(base) }

  static func == (a: Self, b: Self) -> Bool { Fault.areEqual(a.base, b.base) }
  func hash(into hasher: inout Hasher) { Fault.hash(base, &hasher) }
}

private protocol AddressFault: Sendable {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress?
  static func text(_ address: IPSocketAddress) -> String
  static func areEqual(_ a: IPSocketAddress, _ b: IPSocketAddress) -> Bool
  static func hash(_ address: IPSocketAddress, _ hasher: inout Hasher)
}

extension AddressFault {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress? { IPSocketAddress(sockaddr: bytes) }
  static func text(_ address: IPSocketAddress) -> String { address.description }
  static func areEqual(_ a: IPSocketAddress, _ b: IPSocketAddress) -> Bool { a == b }
  static func hash(_ address: IPSocketAddress, _ hasher: inout Hasher) { hasher.combine(address) }
}

private enum SoundAddress: AddressFault {}
private enum LosesPort: AddressFault {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress? { IPSocketAddress(sockaddr: bytes)?.with(port: 1) }
}
private enum WrongText: AddressFault {
  static func text(_ address: IPSocketAddress) -> String { address.with(port: address.port / 2).description }
}
private enum BlindToPorts: AddressFault {
  static func areEqual(_ a: IPSocketAddress, _ b: IPSocketAddress) -> Bool { a.ip == b.ip }
}
private enum RandomHash: AddressFault {
  static func hash(_ address: IPSocketAddress, _ hasher: inout Hasher) { hasher.combine(Int.random(in: 0 ... .max)) }
}
private enum TakesAnyFamily: AddressFault {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress? {
    IPSocketAddress(sockaddr: bytes) ?? (bytes.byteCount >= 16 ? .loopback(port: 1) : nil)
  }
}
private enum TakesShortBytes: AddressFault {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress? {
    bytes.byteCount < 2 ? .loopback(port: 1) : IPSocketAddress(sockaddr: bytes)
  }
}

private func addresses<F: AddressFault>(_ fault: F.Type) -> SocketAddressSuite<OddAddress<F>> {
  SocketAddressSuite(
    "odd", samples: [.loopback(port: 8), .loopback(port: 80), .loopbackIPv6(port: 7)].map { OddAddress<F>($0) })
}

@Suite(.exclusive) struct AddressSaboteurTests {
  static let saboteurs = [
    Saboteur("loses the port", "address.bytes.round-trip", addresses(LosesPort.self), addresses(SoundAddress.self)),
    Saboteur("loses the port", "address.any.round-trip", addresses(LosesPort.self), addresses(SoundAddress.self)),
    Saboteur("writes another text", "address.text.round-trip", addresses(WrongText.self), addresses(SoundAddress.self)),
    Saboteur("is blind to ports", "address.samples-differ", addresses(BlindToPorts.self), addresses(SoundAddress.self)),
    Saboteur("hashes at random", "address.hash", addresses(RandomHash.self), addresses(SoundAddress.self)),
    Saboteur("takes any family", "address.bytes.foreign", addresses(TakesAnyFamily.self), addresses(SoundAddress.self)),
    Saboteur("takes short bytes", "address.bytes.short", addresses(TakesShortBytes.self), addresses(SoundAddress.self)),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }
}
