import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// An IP address with a fault.
private struct OddAddress<Fault: AddressFault>: SocketAddress, LosslessStringConvertible {
  let base: IPSocketAddress
  /// How many bytes behind the address it was made from.
  let tail: Int
  var family: AddressFamily { base.family }

  init(_ base: IPSocketAddress) {
    self.base = base
    tail = 0
  }
  init?(sockaddr bytes: RawSpan) {
    guard let base = Fault.decode(bytes) else { return nil }
    self.base = base
    tail = bytes.byteCount - base.withBytes { $0.byteCount }
  }
  init?(_ text: String) {
    guard let base = Fault.parse(text) else { return nil }
    self.init(base)
  }
  borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    base.withBytes { body(Fault.cutsBytes ? $0.extracting(first: 1) : $0) }
  }
  var description: String { Fault.text(base) }

  static func == (a: Self, b: Self) -> Bool {
    Fault.areEqual(a.base, b.base) && (a.tail == b.tail || !Fault.countsTheTail)
  }
  func hash(into hasher: inout Hasher) { Fault.hash(base, &hasher) }
}

private protocol AddressFault: Sendable {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress?
  static func parse(_ text: String) -> IPSocketAddress?
  static func text(_ address: IPSocketAddress) -> String
  static var countsTheTail: Bool { get }
  static var cutsBytes: Bool { get }
  static func areEqual(_ a: IPSocketAddress, _ b: IPSocketAddress) -> Bool
  static func hash(_ address: IPSocketAddress, _ hasher: inout Hasher)
}

extension AddressFault {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress? { IPSocketAddress(sockaddr: bytes) }
  static func parse(_ text: String) -> IPSocketAddress? { IPSocketAddress(text) }
  static func text(_ address: IPSocketAddress) -> String { address.description }
  static var countsTheTail: Bool { false }
  static var cutsBytes: Bool { false }
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
/// Keeps what stands behind the address in the kernel's buffer.
private enum KeepsTheTail: AddressFault {
  static func decode(_ bytes: RawSpan) -> IPSocketAddress? {
    IPSocketAddress(sockaddr: bytes) ?? IPSocketAddress(sockaddr: bytes.extracting(first: min(16, bytes.byteCount)))
  }
  static var countsTheTail: Bool { true }
}
private enum CutsItsBytes: AddressFault {
  static var cutsBytes: Bool { true }
}
/// Reads as much as is an address, and ignores the rest.
private enum IgnoresMoreText: AddressFault {
  static func parse(_ text: String) -> IPSocketAddress? {
    IPSocketAddress(text) ?? IPSocketAddress(String(text.dropLast()))
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
    Saboteur(
      "formats a wrong port", "address.text.round-trip", addresses(WrongText.self), addresses(SoundAddress.self)),
    Saboteur(
      "ignores the port when it compares addresses", "address.samples-differ", addresses(BlindToPorts.self),
      addresses(SoundAddress.self)),
    Saboteur("returns random hashes", "address.hash", addresses(RandomHash.self), addresses(SoundAddress.self)),
    Saboteur(
      "accepts bytes of any family", "address.bytes.foreign", addresses(TakesAnyFamily.self),
      addresses(SoundAddress.self)),
    Saboteur(
      "includes the bytes after the address in a comparison", "address.bytes.tail", addresses(KeepsTheTail.self),
      addresses(SoundAddress.self)),
    Saboteur(
      "accepts the text of an address with an additional character", "address.text.tail",
      addresses(IgnoresMoreText.self), addresses(SoundAddress.self)),
    Saboteur(
      "omits the first of its bytes", "address.bytes.length", addresses(CutsItsBytes.self), addresses(SoundAddress.self)
    ),
    Saboteur(
      "accepts truncated bytes", "address.bytes.short", addresses(TakesShortBytes.self), addresses(SoundAddress.self)),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }
}
